"""Operations: list, read, cancel, retry."""

import uuid

from django.core.paginator import EmptyPage, Paginator
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from api.errors import Conflict
from api.openapi import REFUSALS_OF_CHANGES, REFUSALS_OF_OBJECTS, REFUSALS_OF_QUERIES
from api.queries import ListQuery, read_query
from api.representations import OperationSerializer, PageSerializer, SummarySerializer
from api.views.base import View
from liveops.models import LiveOperation
from liveops.policy import visible_to
from liveops.tasks import cancel, restart


class OperationsView(View):
    @extend_schema(
        operation_id="list_operations",
        summary="Your operations, newest first.",
        parameters=[ListQuery],
        responses={200: PageSerializer, **REFUSALS_OF_QUERIES, 404: REFUSALS_OF_OBJECTS[404]},
    )
    def get(self, request: Request) -> Response:
        query = read_query(request, ListQuery)
        filters = {name: query[name] for name in ("kind", "state") if name in query}
        rows = visible_to(request.user).filter(**filters)
        self.check_object_permissions(request, rows)
        rows = rows.defer("regions", "result_context", "traceback", "error")
        pages = Paginator(rows, query["page_size"])
        try:
            page = pages.page(query["page"])
        except EmptyPage as error:
            text = _("There is no such page, the last one is %(last)s.")
            raise NotFound(text % {"last": pages.num_pages}) from error
        here = request.get_full_path()
        following, before = page.number + 1, page.number - 1
        return Response(
            {
                "count": pages.count,
                "next": replace_query_param(here, "page", following) if page.has_next() else None,
                "previous": (
                    None
                    if not page.has_previous()
                    else replace_query_param(here, "page", before)
                    if before > 1
                    else remove_query_param(here, "page")
                ),
                "results": SummarySerializer(page.object_list, many=True).data,
            }
        )


class OperationView(View):
    @extend_schema(
        operation_id="read_operation",
        summary="An operation: how far it is, and what came of it.",
        responses={200: OperationSerializer, **REFUSALS_OF_OBJECTS},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return shown(self.get_operation(pk), request)


class CancelView(View):
    @extend_schema(
        operation_id="cancel_operation",
        summary="Ask an operation to end; one that waits ends at once.",
        request=None,
        responses={200: OperationSerializer, **REFUSALS_OF_CHANGES},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        operation = self.get_operation(pk)
        if not cancel(operation, by=request.user):
            raise Conflict(_("The operation has ended: %(state)s.") % {"state": state_of(pk)})
        return shown(operation, request)


class RetryView(View):
    @extend_schema(
        operation_id="retry_operation",
        summary="Run an operation once more that failed, was cancelled or was lost.",
        request=None,
        responses={200: OperationSerializer, **REFUSALS_OF_CHANGES},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        operation = self.get_operation(pk)
        if not restart(operation, by=request.user):
            text = _("Only what has failed, was cancelled or was lost can be retried: %(state)s.")
            raise Conflict(text % {"state": state_of(pk)})
        return shown(operation, request)


def state_of(pk: uuid.UUID) -> str:
    """What it is by now, whoever was quicker."""
    return LiveOperation.objects.values_list("state", flat=True).filter(pk=pk).first() or "deleted"


def shown(operation: LiveOperation, request: Request) -> Response:
    return Response(OperationSerializer(operation, context={"request": request}).data)
