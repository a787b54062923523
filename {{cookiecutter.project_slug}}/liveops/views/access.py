"""Who gets in, whatever the page."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponseBase,
    JsonResponse,
)
from django.views.generic.detail import SingleObjectMixin

from liveops.models import LiveOperation
from liveops.policy import Verdict, decide, visible_to


def enforce(verdict: Verdict) -> None:
    """Raise what the verdict means for a page of somebody who is signed in."""
    if verdict is Verdict.UNKNOWN:
        raise Http404
    if verdict is not Verdict.ALLOWED:
        raise PermissionDenied


class BaseLiveOperationMixin:
    """Lets in who may use live operations, to their own operations."""

    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        verdict = decide(request.user)
        if verdict is Verdict.SIGN_IN:
            return self.handle_anonymous(request)
        enforce(verdict)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def handle_anonymous(self, request: HttpRequest) -> HttpResponseBase:
        return redirect_to_login(request.get_full_path())

    def get_queryset(self) -> QuerySet[LiveOperation]:
        return visible_to(self.request.user)


class OperationMixin(BaseLiveOperationMixin, SingleObjectMixin):
    """For the addresses of one operation."""

    context_object_name = "operation"

    def get_row(self) -> LiveOperation:
        """The operation without the fields of its kind, if the user may watch it."""
        operation: LiveOperation = super().get_object(LiveOperation.objects.all())
        enforce(decide(self.request.user, operation=operation))
        return operation

    def get_object(self, queryset: QuerySet[LiveOperation] | None = None) -> LiveOperation:
        return self.get_row().as_kind()


class ScriptMixin(OperationMixin):
    """For addresses that the page's script asks: a refusal is JSON, and leads nowhere else."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except PermissionDenied:
            return JsonResponse({"error": "not allowed"}, status=403)
        except Http404:
            return JsonResponse({"error": "no such operation"}, status=404)

    def handle_anonymous(self, request: HttpRequest) -> HttpResponseBase:
        return JsonResponse({"error": "not signed in"}, status=401)
