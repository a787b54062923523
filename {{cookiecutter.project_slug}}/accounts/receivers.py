"""Who signed in and out, and who failed to, in the audit log."""

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.sign_in import NAME_FIELD, typed_name
from liveops.address import address_of
from liveops.audit import note


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    note("signed in", user=user, address=address_of(request))


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        note("signed out", user=user, address=address_of(request))


@receiver(user_login_failed)
def failed(
    credentials: Mapping[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Says whose account was tried, and nothing of what was typed."""
    if request is None:
        return
    is_locked = getattr(request, "axes_locked_out", False)
    # REST framework's request wraps Django's, where the middleware looks.
    inner: Any = getattr(request, "_request", request)
    inner.axes_locked_out, inner.axes_credentials = is_locked, credentials
    name = typed_name(inner, credentials)
    # PostgreSQL takes neither NUL nor half a character.
    known = User.objects.filter(**{NAME_FIELD: name}).first() if name.isprintable() else None
    note(
        "sign-in locked" if is_locked else "sign-in failed",
        user=known,
        address=address_of(inner),
        level=logging.WARNING,
    )
