"""Subscription tokens: the only credential that the websocket accepts."""

import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from django.core import signing
from django.utils.crypto import salted_hmac

from liveops.conf import conf
from liveops.failures import REDIS_UNAVAILABLE
from liveops.shared_cache import shared_cache

SALT = "liveops.subscription"
# Clocks of two servers may differ by so many seconds.
CLOCK_SKEW = 5


class Channelled(Protocol):
    """Has a public channel name: an operation."""

    def get_channel_name(self) -> str: ...


class BadToken(Exception):
    """Not signed by us, not for this socket, or used before. Says no more to the outside."""


class ExpiredToken(BadToken):
    """Was good, is too old."""


class CannotBurn(Exception):
    """The cache did not take the token's id, so a second use could not be refused."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a verified token says."""

    user_key: str
    channels: tuple[str, ...]
    # A keyed digest of the session that the token was made for; "" binds it to no session.
    session: str
    token_id: str


def make_subscription_token(
    user: Any, operation: Channelled, *, session_key: str | None = None
) -> str:
    """Return a signed token with which `user` can subscribe to `operation`, once.

    It holds the user's key, the channel name, a random id and, with `session_key`, a digest of
    that session; it works for `LIVEOPS["TOKEN_TTL"]` seconds (300). Whether the user may watch
    is asked when the token is issued and again when it is used, see `liveops.policy`.
    """
    payload = {
        "u": str(user.pk),
        "c": [operation.get_channel_name()],
        "s": session_digest(session_key),
        "i": secrets.token_urlsafe(16),
    }
    return _signer().sign_object(payload, compress=False)


def read_subscription_token(token: str) -> Claims:
    """Return the claims of a token that we signed and that is not too old.

    Raises ExpiredToken, or BadToken for everything else that is wrong. The signing keys are
    SECRET_KEY and SECRET_KEY_FALLBACKS, so that keys can be rotated.
    """
    try:
        payload = _signer().unsign_object(token, max_age=conf.TOKEN_TTL + CLOCK_SKEW)
        return Claims(
            user_key=str(payload["u"]),
            channels=tuple(map(str, payload["c"])),
            session=str(payload["s"]),
            token_id=str(payload["i"]),
        )
    except signing.SignatureExpired as error:
        raise ExpiredToken from error
    except (signing.BadSignature, ValueError, TypeError, KeyError) as error:
        # A tampered payload fails on the signature; the others are for a foreign payload that
        # was signed with our key and salt.
        raise BadToken from error


def burn(claims: Claims) -> None:
    """Use the token up. Raises BadToken if somebody did so before, CannotBurn if nobody can say."""
    key = f"liveops:used-token:{claims.token_id}"
    try:
        first = shared_cache().add(key, 1, timeout=conf.TOKEN_TTL + 2 * CLOCK_SKEW)
    except REDIS_UNAVAILABLE as error:
        raise CannotBurn(str(error)) from error
    if not first:
        raise BadToken


def session_digest(session_key: str | None) -> str:
    """Tells two sessions apart without giving away the key of either."""
    return salted_hmac(SALT, session_key).hexdigest()[:32] if session_key else ""


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT)
