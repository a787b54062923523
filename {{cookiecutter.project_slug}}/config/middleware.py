from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class BrowserHeadersMiddleware:
    """What browsers must know about every answer, be it a page, a file or a refusal.

    The outermost middleware, so that no other one answers past it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in settings.BROWSER_HEADERS.items():
            response.headers.setdefault(name, value)
        return response
