"""What can be started, and starting it."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import TooLarge
from api.inputs import filled_form
from api.media import StrictJSONParser
from api.openapi import REFUSALS, REFUSALS_OF_STARTS
from api.queries import IDEMPOTENCY_KEY, idempotency_key
from api.representations import KindSerializer, OperationSerializer
from api.views.base import View
from liveops.conf import conf
from liveops.models import kinds
from liveops.policy import Verdict, decide
from liveops.starting import TooManyStarts, start

# What a multipart body has besides its file.
ROOM_FOR_FIELDS = 1024 * 1024


class KindsView(View):
    @extend_schema(
        operation_id="list_kinds",
        summary="The kinds of operations that you may start, with the fields of their forms.",
        responses={200: KindSerializer(many=True), **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        mine = [kind for kind in kinds() if decide(request.user, kind=kind) is Verdict.ALLOWED]
        return Response(KindSerializer(mine, many=True).data)


class StartView(View):
    parser_classes = (StrictJSONParser, MultiPartParser)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        size = request.META.get("CONTENT_LENGTH") or "0"
        if size.isdecimal() and int(size) > conf.MAX_UPLOAD + ROOM_FOR_FIELDS:
            raise TooLarge
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="start",
        summary="Start an operation.",
        parameters=[
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                {"type": "string", "format": "uuid"},
                OpenApiParameter.HEADER,
                description="The same key again gives the operation that it started before.",
            ),
        ],
        request={"application/json": {"type": "object"}},
        responses={201: OperationSerializer, **REFUSALS_OF_STARTS},
    )
    def post(self, request: Request, kind: str) -> HttpResponseBase:
        form_key = idempotency_key(request)
        form = filled_form(self.get_kind(kind), request)
        try:
            operation = start(form, by=request.user, form_key=form_key)
        except TooManyStarts as error:
            text = _("You may start %(limit)s operations a minute.") % {"limit": error.limit}
            raise Throttled(error.retry_after, text) from error
        # For a repeated start this is another object than the form's.
        self.check_object_permissions(request, operation)
        shown = OperationSerializer(operation, context={"request": request}).data
        return Response(shown, status=201, headers={"Location": shown["url"]})
