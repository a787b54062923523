"""Subscription tokens: the only credential that the websocket accepts."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from django.core import signing
from django.utils.crypto import constant_time_compare

from liveops.audit import note
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
    # A digest of the session that the token was made for; "" binds it to no session.
    session: str
    # A digest of the user's password hash, so that a new password voids the token.
    password: str
    # Issued to an API client: a socket without a session may use it.
    for_client: bool
    token_id: str


def make_subscription_token(
    user: Any,
    operation: Channelled,
    *,
    session_key: str | None = None,
    for_client: bool = False,
) -> str:
    """Return a signed token with which `user` can subscribe to `operation`, once.

    It holds the user's key, the channel name, a random id, a digest of the password's hash and,
    with `session_key`, one of that session; it works for `LIVEOPS["TOKEN_TTL"]` seconds (300).
    With `for_client` it also works on a socket that has no session. Whether the user may watch is
    asked when the token is issued and again when it is used, see `liveops.policy`.
    """
    payload = {
        "u": str(user.pk),
        "c": [operation.get_channel_name()],
        "s": session_digest(session_key),
        "p": _password_digest(user.get_session_auth_hash()),
        "a": int(for_client),
        "i": secrets.token_urlsafe(16),
    }
    note("token issued", user=user, operation=operation, to_client=for_client or None)
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
            password=str(payload["p"]),
            for_client=payload["a"] == 1,
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
    """Tells two sessions apart without giving away the key of either.

    Session keys are long and random, so the digest needs no key, and survives a rotated SECRET_KEY.
    """
    return _digest(session_key) if session_key else ""


def has_password(user: Any, digest: str) -> bool:
    """Whether the digest, from a token, is that of the password which `user` has now."""
    # Django's hash depends on SECRET_KEY, which may have been rotated meanwhile.
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(_password_digest(each), digest) for each in hashes)


def _password_digest(session_auth_hash: str) -> str:
    return _digest(session_auth_hash)


def _digest(text: str) -> str:
    return hashlib.sha256(f"{SALT}:{text}".encode()).hexdigest()[:32]


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT)
