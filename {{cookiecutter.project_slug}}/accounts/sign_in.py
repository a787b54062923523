"""Who tries to sign in, in the form in which failures are counted."""

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessAttempt
from axes.utils import reset
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import User
from liveops.address import address_of

NAME_FIELD = User.USERNAME_FIELD
IPV6_PREFIX = 64


def typed_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """The name that somebody typed, as sign-in compares it; "" when there was none."""
    given = (credentials or request.POST).get(NAME_FIELD)
    return User.normalize_username(given) if isinstance(given, str) else ""


def name_digest(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """What is recorded instead of the name: people type their password there by mistake."""
    return digest(typed_name(request, credentials))


def digest(name: str) -> str:
    secret = salted_hmac("accounts.sign_in", name.encode(errors="replace"), algorithm="sha256")
    return secret.hexdigest()


def ip_address(request: HttpRequest) -> str | None:
    """The client's address, or nothing when what the web server gives is none.

    Of an IPv6 address its network, because whoever has one has 2^64 of them.
    """
    try:
        address = ipaddress.ip_address(address_of(request).partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)


def wait(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> timedelta:
    """How long the next failures to expire still keep this name from this address out."""
    attempts = AccessAttempt.objects.filter(
        username=name_digest(request, credentials), ip_address=ip_address(request)
    )
    failures = list(
        attempts.order_by("attempt_time").values_list("attempt_time", "failures_since_start")
    )
    pause = get_cool_off(request) or timedelta()
    left = sum(count for _, count in failures)
    for at, count in failures:
        left -= count
        if left < get_failure_limit(request, credentials):
            return max(at + pause - timezone.now(), timedelta(seconds=1))
    return pause


def forget_failures(user: User) -> int:
    """Let `user` sign in again from wherever there were too many failures; gives their records."""
    return int(reset(username=digest(user.get_username())))
