"""The pages, and what their buttons do."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import QuerySet
from django.forms import ModelForm, modelform_factory
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    JsonResponse,
)
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.http import parse_etags
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import conditional_page
from django.views.generic import CreateView, DetailView, ListView, TemplateView, View
from django.views.generic.detail import SingleObjectMixin

from liveops.downloads import attachment, file_blocks, text_blocks
from liveops.fragments import PROTOCOL, heartbeat
from liveops.hints import seconds_silent
from liveops.limits import place_of
from liveops.models import LiveOperation, State, kind_class, kinds
from liveops.policy import Verdict, decide
from liveops.record import Log, Position, missed_by
from liveops.security import make_subscription_token
from liveops.tasks import cancel, restart, submit

LINES_PER_PAGE = 500
OPERATIONS_PER_PAGE = 50


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
        return LiveOperation.objects.filter(owner_id=self.request.user.pk)


class OperationMixin(BaseLiveOperationMixin, SingleObjectMixin):
    """For the addresses of one operation."""

    context_object_name = "operation"

    def get_row(self) -> LiveOperation:
        """The operation without the fields of its kind, if the user may watch it."""
        operation: LiveOperation = super().get_object()
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


class CatalogueView(BaseLiveOperationMixin, TemplateView):
    template_name = "liveops/catalogue.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        startable = [kind for kind in kinds() if decide(user, kind=kind) is Verdict.ALLOWED]
        return super().get_context_data(kinds=startable, recent=self.get_queryset()[:5], **kwargs)


class CreateLiveOperationView(BaseLiveOperationMixin, CreateView):
    template_name = "liveops/start.html"

    def get_kind(self) -> type[LiveOperation]:
        kind = kind_class(self.kwargs["kind"])
        if kind is None:
            raise Http404
        enforce(decide(self.request.user, kind=kind))
        return kind

    def get_form_class(self) -> type[ModelForm]:
        kind = self.get_kind()
        return kind.form_class or modelform_factory(kind, fields=kind.input_fields())

    def get_form_key(self) -> uuid.UUID:
        """The key that the form came with, or a new one for a new form."""
        try:
            return uuid.UUID(self.request.POST["form_key"])
        except (KeyError, ValueError):
            return uuid.uuid4()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            kind=self.get_kind(), form_key=self.get_form_key(), **kwargs
        )

    def form_valid(self, form: ModelForm) -> HttpResponse:
        operation = form.save(commit=False)
        operation.owner = self.request.user
        operation.form_key = self.get_form_key()
        try:
            submit(operation, by=self.request.user)
        except IntegrityError:
            # A double click, or the form once more from the browser's history.
            started = self.get_queryset().filter(form_key=operation.form_key).first()
            if started is None:
                raise
            return redirect(started)
        form.save_m2m()
        return redirect(operation)


# The page holds a token that works once, so no cache may bring it back.
@method_decorator(never_cache, name="dispatch")
class LiveOperationView(OperationMixin, DetailView):
    def get_template_names(self) -> list[str]:
        return self.object.get_host_template_names()


@method_decorator(conditional_page, name="dispatch")
class LiveOperationListView(BaseLiveOperationMixin, ListView):
    """My operations; with `?fragment=rows` only what changes, and 304 when nothing has."""

    context_object_name = "operations"
    paginate_by = OPERATIONS_PER_PAGE

    def get_template_names(self) -> list[str]:
        rows_only = self.request.GET.get("fragment") == "rows"
        return ["liveops/parts/list_rows.html" if rows_only else "liveops/list.html"]

    def get_queryset(self) -> QuerySet[LiveOperation]:
        operations = super().get_queryset()
        if self.selected_kind:
            operations = operations.filter(kind=self.selected_kind)
        if self.selected_state:
            operations = operations.filter(state=self.selected_state)
        return operations.defer("regions", "result_context", "traceback")

    @property
    def selected_kind(self) -> str:
        name = self.request.GET.get("kind", "")
        return name if kind_class(name) else ""

    @property
    def selected_state(self) -> str:
        name = self.request.GET.get("state", "")
        return name if name in State else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            kinds=kinds(),
            states=State.choices,
            selected_kind=self.selected_kind,
            selected_state=self.selected_state,
            **kwargs,
        )


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


@method_decorator(never_cache, name="dispatch")
class TokenView(ScriptMixin, View):
    """A fresh subscription token for a page that has to connect again."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = make_subscription_token(
            request.user, self.get_object(), session_key=request.session.session_key
        )
        return JsonResponse({"token": token})


class SnapshotView(ScriptMixin, View):
    """What a page asks for every few seconds while no websocket gets through.

    `?attempt=3&seq=812` says what the page shows; without, or when it makes no sense, the answer
    is a snapshot. The body is the JSON text that the websocket would bring: a frame with what was
    missed, or a snapshot. The ETag is `"<attempt>-<seq>-<state>"`, and `-<place>` for what waits
    for its turn; 304 when `If-None-Match` has that one or, without `If-None-Match`, when attempt
    and seq are the newest.

    How fresh that is changes without the ETag, so each answer, a 304 too, says it in a header:
    `Liveop-Heartbeat` is the JSON text of a heartbeat as on the websocket. `Liveop-Protocol` is
    the number of the wire protocol, for pages that are older than the server.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        operation = self.get_row()
        newest = Position(operation.attempt, operation.seq)
        shown = self.shown_position()
        etag = self.etag_of(operation)
        headers = {
            "ETag": etag,
            "Cache-Control": "private, no-cache",
            "Liveop-Heartbeat": heartbeat(newest, operation.state, seconds_silent(operation)),
            "Liveop-Protocol": str(PROTOCOL),
        }
        if self.is_known(etag, otherwise=shown == newest):
            return HttpResponseNotModified(headers=headers)
        # The state may be new though the position is not.
        missed = missed_by(operation, shown, whole=shown == newest)
        return HttpResponse(missed.text, content_type="application/json", headers=headers)

    def etag_of(self, operation: LiveOperation) -> str:
        parts = [operation.attempt, operation.seq, operation.state]
        # A place in the queue moves on without a frame.
        place = place_of(operation)
        return f'"{"-".join(map(str, parts if place is None else [*parts, place]))}"'

    def shown_position(self) -> Position | None:
        values = [self.request.GET.get(name, "") for name in ("attempt", "seq")]
        if all(len(value) < 20 and value.isascii() and value.isdecimal() for value in values):
            return Position(*map(int, values))
        return None

    def is_known(self, etag: str, *, otherwise: bool) -> bool:
        header = self.request.headers.get("If-None-Match")
        if header is None:
            return otherwise
        # A proxy that compresses makes an ETag weak.
        return etag in {known.removeprefix("W/") for known in parse_etags(header)}


class LogMixin(OperationMixin):
    """The attempt that `?attempt=` asks for, by default the current one."""

    def get_attempt(self, operation: LiveOperation) -> int:
        asked = self.request.GET.get("attempt") or str(operation.attempt)
        # Longer numbers than any attempt's would cost time to read.
        attempt = int(asked) if asked.isdecimal() and len(asked) < 8 else 0
        if not 1 <= attempt <= operation.attempt:
            raise Http404
        return attempt


class LogView(LogMixin, DetailView):
    template_name = "liveops/log.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        attempt = self.get_attempt(self.object)
        pages = Paginator(Log(self.object, attempt), LINES_PER_PAGE)
        page = pages.get_page(self.request.GET.get("page"))
        return super().get_context_data(
            attempt=attempt,
            attempts=range(1, self.object.attempt + 1),
            page_obj=page,
            lines=page.object_list,
            **kwargs,
        )


class LogTextView(LogMixin, View):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        operation = self.get_object()
        attempt = self.get_attempt(operation)

        def lines() -> Iterator[str]:
            for line in Log(operation, attempt):
                yield f"{line.time.isoformat(timespec='milliseconds')} {line.level} {line.text}\n"

        name = f"{slugify(str(operation.title)) or 'log'}-{operation.pk}-{attempt}.txt"
        return attachment(text_blocks(lines), name, "text/plain; charset=utf-8")


class FileView(OperationMixin, View):
    """A file that the operation made, for those who may watch it."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        operation, field = self.get_object(), self.kwargs["field"]
        file = getattr(operation, field) if field in operation.downloads else None
        if not file or not file.storage.exists(file.name):
            raise Http404
        name = file.name.rpartition("/")[2]
        return attachment(file_blocks(file.open("rb")), name, "application/octet-stream")
