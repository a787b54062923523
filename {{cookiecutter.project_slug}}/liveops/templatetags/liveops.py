"""``{% load liveops %}``: the live element, its regions and results, and readable durations."""

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from liveops.ansi import shorten
from liveops.conf import conf
from liveops.fragments import show_result
from liveops.limits import place_of
from liveops.models import LiveOperation, State
from liveops.record import log_tail
from liveops.security import make_subscription_token
from liveops.visible import visible_html, visible_text

register = template.Library()


@register.simple_tag(takes_context=True)
def live_operation(context: template.Context, operation: LiveOperation) -> SafeString:
    """The ``<live-operation>`` element. The template's context must hold ``request``."""
    return _element(context, operation)


@register.simple_block_tag(takes_context=True)
def live_page(
    context: template.Context, content: SafeString, operation: LiveOperation
) -> SafeString:
    """The element of a page about one operation: holds the page's regions, names its tab."""
    return _element(context, operation, content=content, owns_title=True)


def _element(context: template.Context, operation: LiveOperation, **extra: Any) -> SafeString:
    request = context["request"]
    token = make_subscription_token(
        request.user, operation, session_key=request.session.session_key
    )
    values = {
        "operation": operation,
        "token": token,
        "log": log_tail(operation),
        "states": State.choices,
        **extra,
    }
    return render_to_string("liveops/live_operation.html", values, request=request)


@register.simple_tag
def live_region(operation: LiveOperation, name: str) -> SafeString:
    """A place that ``p.swap("#name", …)`` and ``p.html("#name", …)`` fill."""
    # Regions are stored as the HTML that a template or the operation's author made.
    html = mark_safe(operation.regions.get(f"#{name}", ""))  # noqa: S308
    return format_html('<div id="{}" data-liveop-region>{}</div>', name, html)


@register.simple_tag
def render_op_result(operation: LiveOperation) -> SafeString:
    """What the operation handed to ``p.result()``, rendered by its result template."""
    return show_result(operation)


@register.filter("visible_text")
def visible_as_text(value: Any) -> str:
    """The same as `visible`, for titles and attributes, which hold no elements."""
    return visible_text(str(value))


@register.filter
def visible(value: Any) -> Any:
    """Text that people, files or runs wrote, with a mark for each character that nobody sees.

    Escaped like everything else, and cut after `LOG_LINE_CHARS`.
    """
    if isinstance(value, Promise):
        value = str(value)
    if isinstance(value, str) and not hasattr(value, "__html__"):
        shown = shorten(value, conf.LOG_LINE_CHARS)
        value = shown if len(shown) == len(value) else f"{shown}…"
    elif not hasattr(value, "__html__"):
        return value
    return mark_safe(visible_html(conditional_escape(value)))  # noqa: S308 (escaped)


@register.filter
def pairs(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """The items of a dictionary; in a template `.items` would be its value for "items"."""
    return list(values.items())


@register.filter
def duration(seconds: float | None) -> str:
    """Readable seconds: 0.4 → "0.4 s", 65 → "1 min 5 s", 7500 → "2 h 5 min"; None → ""."""
    if seconds is None:
        return ""
    if seconds < 10:
        return _("%(seconds)s s") % {"seconds": number_format(max(seconds, 0.1), 1)}
    return _whole(round(seconds))


def _whole(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}


@register.filter
def eta(seconds: float | None) -> str:
    """Seconds to go as a rough figure that does not flicker; None → ""."""
    if seconds is None:
        return ""
    if seconds < 1:
        return _("almost done")
    step = 10 if seconds >= 60 else 1
    return _("%(duration)s left") % {"duration": _whole(round(seconds / step) * step)}


@register.filter
def rate(per_second: float) -> str:
    """3120.4 → "3,120/s"; what is slower than one per second is told per minute."""
    if per_second < 1:
        return _("%(count)s/min") % {"count": number_format(per_second * 60, 0)}
    return _("%(count)s/s") % {"count": number_format(per_second, 0, force_grouping=True)}


@register.filter
def counted(unit: str, count: float) -> str:
    """The unit as it is read after a number, in English: "row", 2 → "rows"."""
    english = (get_language() or "en").startswith("en")
    return f"{unit}s" if unit and english and count != 1 and not unit.endswith("s") else unit


@register.filter
def place(operation: LiveOperation) -> int | None:
    """Its place among those that wait for their turn; None when it waits for a worker only."""
    return place_of(operation)


@register.filter
def took(operation: LiveOperation) -> float | None:
    """Seconds from the start to the end of this attempt; None while there is no end."""
    if operation.started_at is None or operation.finished_at is None:
        return None
    return (operation.finished_at - operation.started_at).total_seconds()
