"""The policy as a permission of REST framework; nothing else in the API decides."""

from collections.abc import Callable
from typing import Any

from django.db.models import Manager, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated, NotFound, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from liveops.models import LiveOperation
from liveops.policy import Verdict, decide, visible_to


class AsThePolicySays(BasePermission):
    """Asks about the site for each request, and about each object that a view shows or changes."""

    def has_permission(self, request: Request, view: Any) -> bool:
        enforce(decide(request.user))
        return True

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """`obj`: an operation, a kind, or any number of operations as a queryset or manager."""
        match obj:
            case LiveOperation():
                enforce(decide(request.user, operation=obj))
            case type() if issubclass(obj, LiveOperation):
                enforce(decide(request.user, kind=obj))
            case Manager() | QuerySet() if issubclass(obj.model, LiveOperation):
                seen = visible_to(request.user).values("pk")
                if obj.all().order_by().exclude(pk__in=seen).exists():
                    enforce(Verdict.UNKNOWN)
            case _:
                return False
        return True


def no_such_operation() -> NotFound:
    return NotFound(
        _("There is no such operation, or it is not yours. GET /api/operations/ lists yours.")
    )


REFUSALS: dict[Verdict, Callable[[], Exception]] = {
    Verdict.SIGN_IN: NotAuthenticated,
    Verdict.FORBIDDEN: PermissionDenied,
    Verdict.UNKNOWN: no_such_operation,
}


def enforce(verdict: Verdict) -> None:
    """Raise what the verdict means for a client."""
    if verdict is not Verdict.ALLOWED:
        raise REFUSALS[verdict]()
