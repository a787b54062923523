"""`/metrics`, for whoever knows the token; for all others there is no such page."""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from liveops.exposition import metrics_of_web_server

PATH = "/metrics"


class MetricsMiddleware:
    """Answers before anything asks for a host name or for https.

    Prometheus reaches each web server by its own address, which ALLOWED_HOSTS cannot know. Here
    the token decides, and nothing is made of the name. Without the token the request goes the way
    of every other one, and finds no such page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == PATH and request.method == "GET" and brings_token(request):
            text, content_type = metrics_of_web_server(request.headers.get("Accept", ""))
            return HttpResponse(
                text, content_type=content_type, headers={"Cache-Control": "no-store"}
            )
        return self.get_response(request)


def brings_token(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    known = settings.METRICS_TOKEN
    same = secrets.compare_digest(token.encode(), known.encode())
    return bool(known) and same and scheme.lower() == "bearer"
