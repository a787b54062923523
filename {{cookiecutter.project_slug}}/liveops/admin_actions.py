"""What staff can do with operations in the admin site."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from liveops.models import LiveOperation, kind_class
from liveops.policy import Verdict, decide
from liveops.tasks import cancel, restart

CANCELLED = ngettext_lazy(
    "%(count)d operation was cancelled, or asked to end.",
    "%(count)d operations were cancelled, or asked to end.",
    "count",
)
NOT_CANCELLED = ngettext_lazy(
    "%(count)d operation was skipped: it had ended already.",
    "%(count)d operations were skipped: they had ended already.",
    "count",
)
RETRIED = ngettext_lazy(
    "%(count)d operation was queued again.",
    "%(count)d operations were queued again.",
    "count",
)
NOT_RETRIED = ngettext_lazy(
    "%(count)d operation was skipped: it did not fail, nor was it cancelled or lost.",
    "%(count)d operations were skipped: they did not fail, nor were they cancelled or lost.",
    "count",
)
NOT_ALLOWED = ngettext_lazy(
    "%(count)d operation was left alone: you are not in the group that it needs.",
    "%(count)d operations were left alone: you are not in the groups that they need.",
    "count",
)


class CancelAndRetry(admin.ModelAdmin):
    """Actions for whoever has the permission to change operations."""

    actions = ["cancel_selected", "retry_selected"]

    @admin.action(permissions=["change"], description=_("Cancel"))
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[LiveOperation]) -> None:
        allowed = self.allowed(request, queryset)
        answers = [cancel(operation, by=request.user) for operation in allowed]
        self.tell(request, answers, CANCELLED, NOT_CANCELLED)

    @admin.action(permissions=["change"], description=_("Retry"))
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[LiveOperation]) -> None:
        allowed = self.allowed(request, queryset)
        answers = [restart(operation, by=request.user) for operation in allowed]
        self.tell(request, answers, RETRIED, NOT_RETRIED)

    def allowed(
        self, request: HttpRequest, queryset: QuerySet[LiveOperation]
    ) -> list[LiveOperation]:
        """Those of a kind that the user may start; a group keeps staff out as well."""
        user = request.user
        operations = list(queryset)
        allowed = [
            op for op in operations if decide(user, kind=kind_class(op.kind)) is Verdict.ALLOWED
        ]
        if count := len(operations) - len(allowed):
            self.message_user(request, NOT_ALLOWED % {"count": count}, messages.ERROR)
        return allowed

    def tell(self, request: HttpRequest, answers: list[bool], done: Any, skipped: Any) -> None:
        """How many operations the action reached, and how many it left alone."""
        if count := answers.count(True):
            self.message_user(request, done % {"count": count}, messages.SUCCESS)
        if count := answers.count(False):
            self.message_user(request, skipped % {"count": count}, messages.WARNING)
