"""Who asks not with a session, but with one of the credentials of the API."""

from collections.abc import Callable

from rest_framework.authtoken.models import Token

from accounts.models import User
from api.jwt import RefreshToken
from tests.security.cast import Visitor


def api_token(user: User) -> str:
    return f"Token {Token.objects.get_or_create(user=user)[0].key}"


def jwt(user: User) -> str:
    return f"Bearer {RefreshToken.for_user(user).access_token}"


CREDENTIALS: dict[str, Callable[[User], str]] = {"token": api_token, "jwt": jwt}


def use(visitor: Visitor, credential: str) -> None:
    """From now on the visitor has no cookies; who is nobody shows nothing else either."""
    visitor.http.cookies.clear()
    if visitor.user is not None:
        visitor.http.headers["Authorization"] = CREDENTIALS[credential](visitor.user)
