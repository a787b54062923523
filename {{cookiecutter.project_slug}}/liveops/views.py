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
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import conditional_page
from django.views.generic import CreateView, DetailView, ListView, TemplateView, View
from django.views.generic.detail import SingleObjectMixin

from liveops.downloads import attachment, file_blocks, text_blocks
from liveops.models import LiveOperation, State, kind_class, kinds
from liveops.policy import Verdict, decide
from liveops.record import Log
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

    def get_object(self, queryset: QuerySet[LiveOperation] | None = None) -> LiveOperation:
        operation = super().get_object(queryset)
        enforce(decide(self.request.user, operation=operation))
        return operation.as_kind()


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
class TokenView(OperationMixin, View):
    """A fresh subscription token for a page that has to connect again."""

    def handle_anonymous(self, request: HttpRequest) -> HttpResponseBase:
        return JsonResponse({"error": "not signed in"}, status=401)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = make_subscription_token(
            request.user, self.get_object(), session_key=request.session.session_key
        )
        return JsonResponse({"token": token})


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
