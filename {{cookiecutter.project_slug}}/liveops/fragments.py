"""The only place that makes HTML for the page, and the frames that carry it."""

import functools
import html
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string, select_template
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from liveops.ansi import ansi_html, shorten
from liveops.conf import conf
from liveops.models import LiveOperation
from liveops.models.kind import DEFAULT_RESULT_TEMPLATE
from liveops.models.log import LogLine
from liveops.text import clean
from liveops.visible import visible_html

logger = logging.getLogger(__name__)

PROTOCOL = 1
PARTS = ("stages", "status", "progress", "result")
MOST_MARKS_IN_FRAGMENT = 1_000


@dataclass(frozen=True, kw_only=True)
class LogView:
    """Consecutive log lines as `<li>` elements; `first` > `last` when there are none."""

    first: int
    last: int
    html: SafeString

    @property
    def earlier(self) -> int:
        """How many lines came before."""
        return self.first - 1


def render_part(operation: LiveOperation, part: str) -> SafeString:
    """Render one of PARTS from the attributes of `operation`."""
    return render_to_string(f"liveops/parts/{part}.html", {"operation": operation})


def render_result(operation: LiveOperation) -> SafeString:
    """Render what `p.result()` was given, with the kind's template or as a table.

    Raises whatever a broken template raises.
    """
    template = select_template(operation.get_result_template_names())
    return _visible(template.render({**(operation.result_context or {}), "operation": operation}))


def show_result(operation: LiveOperation) -> SafeString:
    """The result, or the plain table where the kind's template has broken since it was made."""
    try:
        return render_result(operation)
    except Exception:  # a template of the site's own may raise anything
        logger.exception("the result template of %s", operation.kind)
        return render_to_string(DEFAULT_RESULT_TEMPLATE, {"operation": operation})


def render_swap(operation: LiveOperation, name: str, context: dict[str, Any]) -> SafeString:
    """Render `<app>/<kind>_<name>.html`, autoescaped."""
    template = f"{operation.template_stem()}_{name}.html"
    return _visible(render_to_string(template, {"operation": operation, **context}))


def render_log(first: int, lines: Sequence[LogLine], *, whole: bool = False) -> LogView:
    """Render the end of `lines`, which are numbered from `first`.

    At most LOG_TAIL_LINES, and LOG_TAIL_BYTES of text, unless the `whole` is wanted: a browser
    cannot show more at a time.
    """
    tail = lines if whole else _fitting(lines)
    first += len(lines) - len(tail)
    markup = "".join(render_line(first + i, line) for i, line in enumerate(tail))
    return LogView(first=first, last=first + len(tail) - 1, html=mark_safe(markup))  # noqa: S308


def render_line(number: int, line: LogLine) -> str:
    """One `<li>`. Strings rather than a template: a burst has thousands of them."""
    clock = _clock(line.at_ms // 1000, timezone.get_current_timezone())
    return (
        f'<li data-line="{number}" data-level="{html.escape(line.level)}">'
        f"<time>{clock}.{line.at_ms % 1000:03d}</time> "
        f'<span dir="auto">{render_line_text(line.text)}</span></li>'
    )


def render_line_text(text: str) -> str:
    """The text of a log line as HTML: in colour, cut when it is too long for a page."""
    shown = shorten(text, conf.LOG_LINE_CHARS)
    markup = ansi_html(shown)
    if cut := len(text) - len(shown):
        markup += html.escape(_("… %(count)d more characters") % {"count": cut})
    return markup


@functools.lru_cache(maxsize=256)
def _clock(second: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(second, UTC).astimezone(zone):%H:%M:%S}"


def frame(
    kind: str,
    operation: LiveOperation,
    *,
    parts: Iterable[str] = PARTS,
    regions: dict[str, str] | None = None,
    log: LogView | None = None,
    redirect: str | None = None,
) -> str:
    """The JSON text of a frame or snapshot, in the operation's language."""
    with translation.override(operation.language or settings.LANGUAGE_CODE):
        message: dict[str, Any] = {
            "type": kind,
            "attempt": operation.attempt,
            "seq": operation.seq,
            "state": operation.state,
            "parts": {part: render_part(operation, part) for part in parts},
        }
    if regions:
        message["regions"] = regions
    if log is not None:
        message["log"] = {"first": log.first, "last": log.last, "html": log.html}
    if redirect:
        message["redirect"] = redirect
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def heartbeat(position: tuple[int, int], state: str, age: float | None) -> str:
    """The JSON text of a heartbeat; `age`: seconds since the worker's last sign of life."""
    attempt, seq = position
    message = {"type": "heartbeat", "attempt": attempt, "seq": seq, "state": state, "age": age}
    return json.dumps(message)


def _visible(markup: SafeString) -> SafeString:
    """What an author's template made, whether or not it thought of characters that hide."""
    marked = visible_html(clean(markup), MOST_MARKS_IN_FRAGMENT)
    return mark_safe(marked)  # noqa: S308 (adds elements of its own)


def _fitting(lines: Sequence[LogLine]) -> Sequence[LogLine]:
    room = conf.LOG_TAIL_BYTES
    count = 0
    for line in reversed(lines[-conf.LOG_TAIL_LINES :]):
        room -= min(len(line.text), conf.LOG_LINE_CHARS)
        if room < 0 and count:
            break
        count += 1
    return lines[len(lines) - count :] if count else []
