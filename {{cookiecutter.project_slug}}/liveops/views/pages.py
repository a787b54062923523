"""The catalogue, the start form, the live page and the list."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import (
    Http404,
    HttpResponse,
)
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import conditional_page
from django.views.generic import CreateView, DetailView, ListView, TemplateView

from liveops.models import LiveOperation, State, kind_class, kinds
from liveops.policy import Verdict, decide
from liveops.starting import TooManyStarts, form_class_for, start
from liveops.views.access import BaseLiveOperationMixin, OperationMixin, enforce
from liveops.views.paginator import UncountedPaginator

OPERATIONS_PER_PAGE = 50


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
        return form_class_for(self.get_kind())

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
        try:
            return redirect(start(form, by=self.request.user, form_key=self.get_form_key()))
        except TooManyStarts as refusal:
            return self.too_many(form, refusal)

    def too_many(self, form: ModelForm, refusal: TooManyStarts) -> HttpResponse:
        """The form once more, with all that was filled in."""
        text = _("You have started %(count)d operations within a minute. Wait %(wait)d s.")
        form.add_error(None, text % {"count": refusal.limit, "wait": refusal.retry_after})
        response = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 429
        response["Retry-After"] = str(refusal.retry_after)
        return response


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
    paginator_class = UncountedPaginator

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
