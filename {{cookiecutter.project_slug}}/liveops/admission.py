"""Whether a socket may watch: asked when it subscribes, and again while it is open."""

import uuid
from typing import Any

from django.contrib.auth import get_user
from django.http import HttpRequest

from liveops.models import LiveOperation
from liveops.policy import Verdict, decide
from liveops.security import (
    BadToken,
    CannotBurn,
    ExpiredToken,
    burn,
    read_subscription_token,
    session_digest,
)
from liveops.wire import Close

CLOSE_OF_VERDICT = {
    Verdict.SIGN_IN: Close.BAD_TOKEN,
    Verdict.FORBIDDEN: Close.FORBIDDEN,
    Verdict.UNKNOWN: Close.UNKNOWN,
}


class Refused(Exception):
    """This socket is closed with `code`; `reason` is for the log, not for the outside."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def admit(token: str, session: Any) -> uuid.UUID:
    """Use the token up and return the operation that it opens to the user of this session.

    Raises Refused.
    """
    try:
        claims = read_subscription_token(token)
        user = user_of(session)
        if str(user.pk) != claims.user_key:
            raise Refused(Close.BAD_TOKEN, "the token is another user's")
        if claims.session and claims.session != session_digest(session.session_key):
            raise Refused(Close.BAD_TOKEN, "the token is another session's")
        burn(claims)
    except ExpiredToken as error:
        raise Refused(Close.TOKEN_EXPIRED, "the token is too old") from error
    except BadToken as error:
        raise Refused(Close.BAD_TOKEN, "the token is forged or was used before") from error
    except CannotBurn as error:
        raise Refused(Close.OVERLOADED, f"the token could not be used up: {error}") from error
    operation_id = _operation_id(claims.channels)
    readmit(operation_id, session)
    return operation_id


def readmit(operation_id: uuid.UUID, session: Any) -> None:
    """Raises Refused unless the user of this session, as it is now, may watch the operation."""
    user = user_of(session)
    operation = LiveOperation.objects.filter(pk=operation_id).first()
    verdict = decide(user) if operation is None else decide(user, operation=operation)
    if operation is None and verdict is Verdict.ALLOWED:
        verdict = Verdict.UNKNOWN
    if verdict is not Verdict.ALLOWED:
        raise Refused(CLOSE_OF_VERDICT[verdict], f"verdict {verdict.name}")


def user_of(session: Any) -> Any:
    """The user whom this session stands for at this moment: read anew, not from a cache."""
    request = HttpRequest()
    request.session = session.__class__(session.session_key)
    return get_user(request)


def _operation_id(channels: tuple[str, ...]) -> uuid.UUID:
    prefix, _dot, key = channels[0].partition(".") if channels else ("", "", "")
    try:
        return uuid.UUID(key)
    except ValueError as error:
        raise Refused(Close.BAD_TOKEN, f"no operation's channel: {prefix}") from error
