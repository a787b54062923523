"""Two questions of load balancers and containers: does this process serve, is the site whole."""

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from liveops.readiness import Readiness, Status, Word, readiness


def healthz(request: HttpRequest) -> HttpResponse:
    """Says that this process serves. Asks neither the database nor Redis."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@cache_control(no_store=True)
def readyz(request: HttpRequest) -> JsonResponse:
    """Says whether the site has all that it needs; to staff, what is missing.

    503 only where this process cannot serve pages: they do without Redis and workers, and a load
    balancer that heard otherwise would take away all web servers at once.
    """
    found = readiness()
    body: dict[str, Any] = {"status": found.status}
    if may_see_details(request, found):
        body["parts"] = {
            name: {"state": finding.state, **finding.details}
            for name, finding in found.parts.items()
        }
    return JsonResponse(body, status=503 if found.status is Status.DOWN else 200)


def may_see_details(request: HttpRequest, found: Readiness) -> bool:
    """Only a database that answers can say who is asking."""
    if found.parts["database"].state not in {Word.OK, Word.UNMIGRATED}:
        return False
    try:
        return request.user.is_active and request.user.is_staff
    except DatabaseError:
        return False
