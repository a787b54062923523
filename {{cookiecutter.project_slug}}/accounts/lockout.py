"""The answer to somebody who failed to sign in too often."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.sign_in import wait
from config.context import site

HOUR, MINUTE = 3600, 60
TOO_MANY = 429


class LockoutMiddleware:
    """In the place of axes' own, which forgets what was typed where a server is asynchronous."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if getattr(request, "axes_locked_out", False):
            return locked_out(request, response, getattr(request, "axes_credentials", None))
        return response


def locked_out(
    request: HttpRequest, response: HttpResponseBase, credentials: Mapping[str, Any] | None = None
) -> HttpResponseBase:
    """Answers 429 with `Retry-After`, as JSON to whoever asked for JSON.

    The answer is the same for a name that nobody has. A view that says 429 itself, as those of the
    API do in a form of their own, has the word.
    """
    seconds = math.ceil(wait(request, credentials).total_seconds())
    waiting = duration(seconds)
    answer: HttpResponseBase
    if response.status_code == TOO_MANY:
        answer = response
    elif wants_json(request):
        text = _("Too many failed attempts to sign in. Try again in %(time)s.") % {"time": waiting}
        answer = JsonResponse({"detail": text}, status=TOO_MANY)
    else:
        page = render_to_string("429.html", {**site(request), "waiting": waiting})
        answer = HttpResponse(page, status=TOO_MANY)
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    return answer


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def duration(seconds: int) -> str:
    """In the largest unit that says it, rounded up: nobody should come back too early."""
    if seconds > HOUR:
        hours = math.ceil(seconds / HOUR)
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    if seconds > MINUTE:
        minutes = math.ceil(seconds / MINUTE)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
