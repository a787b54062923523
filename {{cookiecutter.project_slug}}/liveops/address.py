"""Where a request or a websocket comes from."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest


def client_address(scope: Mapping[str, Any]) -> str:
    """The address that the web server saw, "" when it has none.

    Behind a proxy that is the proxy's, unless Daphne runs with `--proxy-headers`.
    """
    client = scope.get("client")
    return str(client[0]) if client else ""


def address_of(request: HttpRequest) -> str:
    """The same for a request."""
    return str(request.META.get("REMOTE_ADDR") or "")
