"""The whole log, and files to download."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponseBase,
)
from django.utils.text import slugify
from django.views.generic import DetailView, View

from liveops.downloads import attachment, file_blocks, open_to_stream, text_blocks
from liveops.models import LiveOperation
from liveops.record import Log
from liveops.views.access import OperationMixin

LINES_PER_PAGE = 500


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

        title = slugify(str(operation.title))[:60] or "log"
        name = f"{title}-{operation.pk}-{attempt}.txt"
        return attachment(text_blocks(lines), name, "text/plain; charset=utf-8")


class FileView(OperationMixin, View):
    """A file that the operation made, for those who may watch it."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        operation, field = self.get_object(), self.kwargs["field"]
        file = getattr(operation, field) if field in operation.downloads else None
        if not file or not file.storage.exists(file.name):
            raise Http404
        name = file.name.rpartition("/")[2]
        return attachment(file_blocks(open_to_stream(file)), name, "application/octet-stream")
