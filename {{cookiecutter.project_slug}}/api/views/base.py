"""What all views of the API share."""

import uuid
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from api.permissions import no_such_operation
from liveops.models import LiveOperation, kind_class


class View(APIView):
    """Answers that no cache keeps."""

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def get_row(self, pk: uuid.UUID) -> LiveOperation:
        """The operation without the fields of its kind, if the user may watch and steer it."""
        operation = LiveOperation.objects.find(pk)
        if operation is None:
            raise no_such_operation()
        self.check_object_permissions(self.request, operation)
        return operation

    def get_operation(self, pk: uuid.UUID) -> LiveOperation:
        return self.get_row(pk).as_kind()

    def get_kind(self, name: str) -> type[LiveOperation]:
        """The kind with this name, if the user may start it."""
        kind = kind_class(name)
        if kind is None:
            raise NotFound(
                _("There is no such kind. GET /api/kinds/ lists those that you may start.")
            )
        self.check_object_permissions(self.request, kind)
        return kind
