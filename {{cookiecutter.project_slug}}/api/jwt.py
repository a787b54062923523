"""JSON web tokens that are signed with keys made from the site's secrets, which can be rotated."""

from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)

ALGORITHM = "HS256"


class KeyRing(TokenBackend):
    """Signs with SECRET_KEY; reads what was signed with it or with one of SECRET_KEY_FALLBACKS."""

    def encode(self, payload: dict[str, Any]) -> str:
        return _backend(settings.SECRET_KEY).encode(payload)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                return _backend(secret).decode(token, verify)
            except TokenBackendExpiredToken:
                raise
            except (TokenBackendError, ValueError):
                continue
        raise TokenBackendError("no key of ours signed it")


def _backend(secret: str) -> TokenBackend:
    # A key of its own: what is signed as a token must be of no use as anything else.
    key = salted_hmac("api.jwt", "key", secret=secret, algorithm="sha256").hexdigest()
    return TokenBackend(ALGORITHM, key)


class AccessToken(tokens.AccessToken):
    """Signs in for some minutes."""

    _token_backend = KeyRing(ALGORITHM)


class RefreshToken(tokens.RefreshToken):
    """Buys an access token and the next refresh token, once."""

    _token_backend = KeyRing(ALGORITHM)
    access_token_class = AccessToken

    def blacklist(self) -> Any:
        """Use the token up. Raises TokenError if another request did so at the same moment."""
        found: Any = super().blacklist()
        _entry, is_first = found
        if not is_first:
            raise TokenError("used before")
        return found
