"""How many requests somebody may make."""

from typing import Any

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from liveops.address import address_of
from liveops.failures import REDIS_UNAVAILABLE


class Throttle(SimpleRateThrottle):
    """Counts in the cache. Without Redis everyone gets on: the counts only keep load away."""

    def get_rate(self) -> str | None:
        rate: str | None = api_settings.DEFAULT_THROTTLE_RATES[self.scope]
        return rate

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except REDIS_UNAVAILABLE:
            return True


class PerUser(Throttle):
    scope = "user"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if not request.user.is_authenticated:
            return None
        return f"liveops:api:{self.scope}:{request.user.pk}"


class PerAddress(Throttle):
    """For everyone who is not signed in."""

    scope = "anon"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.user.is_authenticated:
            return None
        return f"liveops:api:{self.scope}:{address_of(request._request)}"


class SignIns(PerAddress):
    """Attempts to get a token, successful or not."""

    scope = "sign_in"
