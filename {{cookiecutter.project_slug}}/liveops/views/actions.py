"""What the buttons Cancel and Retry do."""

from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
)
from django.shortcuts import redirect
from django.views.generic import View

from liveops.models import LiveOperation
from liveops.tasks import cancel, restart
from liveops.views.access import OperationMixin


class CancelView(OperationMixin, View):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        operation = self.get_object()
        cancel(operation, by=request.user)
        return respond(request, operation)


class RestartView(OperationMixin, View):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        operation = self.get_object()
        restart(operation, by=request.user)
        return respond(request, operation)


def respond(request: HttpRequest, operation: LiveOperation) -> HttpResponse:
    """Back to the page; one that watches by itself needs no new one."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect(operation)
