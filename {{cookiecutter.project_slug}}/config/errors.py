"""Readable pages for a database that is busy or away, and for everything else that went wrong."""

import sys
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import bad_request as default_bad_request
from django.views.defaults import server_error as default_server_error

from config.context import site

RETRY_AFTER_SECONDS = 5


def is_database_busy(error: BaseException | None) -> bool:
    """Whether trying again soon may help: SQLite's write lock is taken, PostgreSQL is away.

    Any other `OperationalError` of SQLite, such as a missing table, is a fault in the site.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    if connection.vendor == "sqlite":
        return "locked" in str(error)
    return True


def database_busy(request: HttpRequest) -> HttpResponse:
    """Answers 503 with `Retry-After`, as JSON to whoever asked for JSON."""
    wants_json = request.path.endswith("/token/") or (
        request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )
    response: HttpResponse
    if wants_json:
        text = _("The database is busy. Try again in a few seconds.")
        response = JsonResponse({"error": text}, status=503)
    else:
        # Without the request, so that no context processor asks the database who is signed in.
        response = HttpResponse(render_to_string("503.html", site(request)), status=503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The site's `handler400`: 413 for what is too large, more than 400 tells."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return HttpResponse(render_to_string("413.html", site(request)), status=413)
    return default_bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """The site's `handler500`: meets what is raised outside views, as when a session is saved."""
    if is_database_busy(sys.exc_info()[1]):
        return database_busy(request)
    return default_server_error(request)


class DatabaseBusyMiddleware:
    """Turns a database that is busy while a view runs into a page that says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return database_busy(request) if is_database_busy(error) else None
