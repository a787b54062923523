"""Browsers tell here what they refused to do: each report becomes one line in the log."""

import json
import logging
import re
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from liveops.address import address_of
from liveops.audit import note

TYPES = ("application/csp-report", "application/reports+json")
LARGEST_BODY = 16 * 1024
WORD = re.compile(r"[a-z-]{1,40}", re.ASCII)


class Quota:
    """How many lines a minute the reports of one address, and of all, may cost this process."""

    def __init__(self, each: int, together: int) -> None:
        self.each, self.together = each, together
        self._lock = threading.Lock()
        self._minute = 0
        self._taken: Counter[str] = Counter()

    def take(self, address: str) -> bool:
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._taken.clear()
            if self._taken[address] >= self.each or self._taken.total() >= self.together:
                return False
            self._taken[address] += 1
            return True


quota = Quota(each=60, together=600)


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Takes both formats that browsers send, and does no more with a report than log it."""
    if request.content_type not in TYPES:
        return HttpResponse(status=415)
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        return HttpResponse(status=413)
    address = address_of(request)
    for report in read_reports(body):
        if not quota.take(address):
            return HttpResponse(status=429, headers={"Retry-After": "60"})
        note("csp violation", address=address, level=logging.WARNING, **facts(report))
    return HttpResponse(status=204)


def read_reports(body: bytes) -> list[dict[str, Any]]:
    """The violations in a report of either format; none where it cannot be read."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return []
    if isinstance(content, dict):
        content = [{"type": "csp-violation", "body": content.get("csp-report")}]
    if not isinstance(content, list):
        return []
    reports = [item for item in content if isinstance(item, dict)]
    bodies = [item.get("body") for item in reports if item.get("type") == "csp-violation"]
    return [each for each in bodies if isinstance(each, dict)]


def facts(report: dict[str, Any]) -> dict[str, str]:
    """What is worth a line; no query, fragment or code, any of which may hold a secret."""

    def value_of(*names: str) -> str:
        return next((value for name in names if isinstance(value := report.get(name), str)), "")

    directive = value_of("effectiveDirective", "effective-directive", "violated-directive")
    word = directive.partition(" ")[0]
    return {
        "directive": word if WORD.fullmatch(word) else "unknown",
        "blocked": origin_or_word(value_of("blockedURL", "blocked-uri")),
        "path": split(value_of("documentURL", "document-uri")).path or "unknown",
    }


def origin_or_word(blocked: str) -> str:
    """`https://evil.example:8443` of an address; a keyword such as `inline` as it is."""
    parts = split(blocked)
    if parts.scheme and parts.netloc:
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    word = blocked.partition("|")[0].removesuffix(":").partition(":")[0]
    return word if WORD.fullmatch(word) else "unknown"


def split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
