"""Operations in the admin site: staff see everything and edit nothing; they cancel and retry."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import display_for_field
from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import JSONField, ProtectedError, QuerySet, RestrictedError, TextField
from django.db.models.deletion import Collector
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from liveops.admin_actions import CancelAndRetry
from liveops.ansi import shorten, without_ansi
from liveops.conf import conf
from liveops.models import LiveOperation, OperationEvent, kinds
from liveops.record import Log, NumberedLine
from liveops.templatetags.liveops import duration, took
from liveops.visible import visible_text

LOG_LINES = 200
# What the list does not show; each may be large.
BIG_COLUMNS = ["regions", "result_context", "traceback", "stage_states", "tracking", "error"]
TIMES = ["created_at", "queued_at", "started_at", "finished_at", "heartbeat_at"]
# Not columns, but methods below.
MADE_HERE = {"titled", "done"}
MAIN = ("titled", "owner", "state", "attempt", "done", "status_text", "error")
# Whatever else the row holds; these are shown in another form.
ELSEWHERE = {*TIMES, *MAIN, "percent", "traceback", "log_lines", "result_context"}
ELSEWHERE |= {"next_operation", "cancel_requested_at"}
DETAILS = tuple(f.name for f in LiveOperation._meta.fields if f.name not in ELSEWHERE)


def _marked(name: str) -> Any:
    """The column `name`, with marks; Django shows a column without them."""
    field: Any = LiveOperation._meta.get_field(name)

    @admin.display(description=field.verbose_name)
    def marked(operation: LiveOperation) -> str:
        return visible_text(str(display_for_field(getattr(operation, name), field, "-")))

    marked.__name__ = name
    return marked


def _columns(*names: str) -> list[Any]:
    texts = (TextField, JSONField)
    return [
        _marked(name)
        if name not in MADE_HERE and isinstance(LiveOperation._meta.get_field(name), texts)
        else name
        for name in names
    ]


class KindFilter(admin.SimpleListFilter):
    """By kind, under the titles that users know."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind.kind_name(), kind.title) for kind in kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class EventInline(admin.TabularInline):
    """The audit trail; whoever may see the operation may see it."""

    model = OperationEvent
    fields = readonly_fields = ("at", "user", "attempt", "from_state", "to_state", "why")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[OperationEvent]:
        return super().get_queryset(request).select_related("user")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LiveOperation)
class LiveOperationAdmin(CancelAndRetry, admin.ModelAdmin):
    inlines = [EventInline]
    list_display = ["titled", "owner", "state", "attempt", "done", "created_at", "took"]
    list_filter = [KindFilter, "state", "created_at"]
    list_select_related = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = [f"owner__{get_user_model().USERNAME_FIELD}"]
    search_help_text = _("The id of an operation, or a part of its owner's user name")
    fieldsets = [
        (None, {"fields": _columns(*MAIN)}),
        (_("Input"), {"fields": ["inputs"]}),
        (_("Result"), {"fields": _columns("result_context", "next_operation")}),
        (_("Log"), {"fields": ["log_lines", "log_tail"]}),
        (_("Traceback"), {"fields": ["traceback_text"]}),
        (_("Times"), {"fields": [*TIMES, "cancel_requested_at", "took"]}),
        (_("Details"), {"classes": ["collapse"], "fields": _columns(*DETAILS)}),
    ]

    # Who may do what

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [name for _title, options in self.fieldsets for name in options["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For the actions; an operation itself cannot be edited."""
        return obj is None and super().has_change_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request) or super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a worker still runs, or will run, cannot be deleted."""
        return super().has_delete_permission(request) and (obj is None or obj.is_finished)

    # What is read

    def get_queryset(self, request: HttpRequest) -> QuerySet[LiveOperation]:
        operations = super().get_queryset(request).select_related("owner")
        match = request.resolver_match
        is_list = match is not None and str(match.url_name).endswith("_changelist")
        return operations.defer(*BIG_COLUMNS) if is_list else operations

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LiveOperation], search_term: str
    ) -> tuple[QuerySet[LiveOperation], bool]:
        try:
            key = uuid.UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(pk=key), False

    # What is shown

    @admin.display(description=_("operation"), ordering="kind")
    def titled(self, operation: LiveOperation) -> str:
        return visible_text(str(operation.title))

    @admin.display(description=_("percent"), ordering="percent", empty_value="")
    def done(self, operation: LiveOperation) -> str | None:
        return None if operation.percent is None else f"{operation.percent:.0f} %"

    @admin.display(description=_("took"))
    def took(self, operation: LiveOperation) -> str:
        return duration(took(operation))

    @admin.display(description=_("what the form asked for"))
    def inputs(self, operation: LiveOperation) -> SafeString:
        kind = operation.as_kind()
        fields: list[Any] = [kind._meta.get_field(name) for name in kind.input_fields()]
        rows = [(field.verbose_name, visible_text(_shown(kind, field))) for field in fields]
        return format_html_join("", "<div>{}: {}</div>", rows)

    @admin.display(description=_("last lines"))
    def log_tail(self, operation: LiveOperation) -> SafeString:
        lines = Log(operation, operation.attempt)[-LOG_LINES:]
        return format_html("<pre>{}</pre>", "\n".join(map(_as_text, lines)))

    @admin.display(description=_("traceback"))
    def traceback_text(self, operation: LiveOperation) -> SafeString:
        return format_html("<pre>{}</pre>", visible_text(operation.traceback))

    # Deleting

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Names the operations only: a log has too many rows to list them all."""
        operations: Sequence[LiveOperation] = list(objs)
        refused = [op for op in operations if not self.has_delete_permission(request, op)]
        protected: list[str] = []
        try:
            Collector(using=router.db_for_write(self.model)).collect(operations)
        except ProtectedError as error:
            protected = [str(row) for row in error.protected_objects]
        except RestrictedError as error:
            protected = [str(row) for row in error.restricted_objects]
        names = [str(operation) for operation in operations]
        counts = {str(self.opts.verbose_name_plural): len(operations)}
        return names, counts, {str(self.opts.verbose_name)} if refused else set(), protected


def _shown(kind: LiveOperation, field: Any) -> str:
    value = getattr(kind, field.name)
    return ", ".join(map(str, value.all())) if field.many_to_many else str(value)


def _as_text(line: NumberedLine) -> str:
    at = line.time.isoformat(timespec="milliseconds")
    text = shorten(line.text, conf.LOG_LINE_CHARS)
    rest = "" if len(text) == len(line.text) else " …"
    return f"{line.number} {at} {line.level} {without_ansi(text)}{rest}"
