"""Whether a socket may watch: asked when it subscribes, and again while it is open."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from liveops.models import LiveOperation
from liveops.policy import Verdict, decide
from liveops.security import (
    BadToken,
    CannotBurn,
    Claims,
    ExpiredToken,
    burn,
    has_password,
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


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """Who watches what, and in whose name: a session's, or that of an API client."""

    operation_id: uuid.UUID
    user_key: str
    # "" for an API client, whose socket has no session.
    session: str
    # When the session ends unless it is prolonged; None: nobody can say, or there is none.
    session_ends: datetime | None
    password: str

    @property
    def is_client(self) -> bool:
        return not self.session


def verify(token: str) -> Claims:
    """What the token says, if it is ours and not too old. Raises Refused."""
    try:
        return read_subscription_token(token)
    except ExpiredToken as error:
        raise Refused(Close.TOKEN_EXPIRED, "the token is too old") from error
    except BadToken as error:
        raise Refused(Close.BAD_TOKEN, "the token is forged") from error


def admit(claims: Claims, session: Any, user: Any = None) -> tuple[Admitted, LiveOperation]:
    """Use the token up and say what it opens to the user of this session; and read that.

    `user`: whom the session is known to stand for; else that is read anew.

    A browser's session must be that of the token's user, and the very session when the token names
    one; without a signed-in session only a token that was issued to an API client is good.
    Raises Refused.
    """
    try:
        if user is None:
            session, user = read_anew(session)
        is_client = claims.for_client and not user.is_authenticated
        if is_client:
            user = user_with_key(claims.user_key)
        check_bearer(claims, user, session)
        burn(claims)
    except BadToken as error:
        raise Refused(Close.BAD_TOKEN, str(error) or "the token was used before") from error
    except CannotBurn as error:
        raise Refused(Close.OVERLOADED, f"the token could not be used up: {error}") from error
    admitted = Admitted(
        operation_id=operation_id_of(claims),
        user_key=claims.user_key,
        session="" if is_client else session_digest(session.session_key),
        session_ends=None if is_client else end_of(session),
        password=claims.password,
    )
    return admitted, enforce(admitted.operation_id, user)


def check_bearer(claims: Claims, user: Any, session: Any) -> None:
    """Raises BadToken unless the token was made for this user and session."""
    if str(user.pk) != claims.user_key:
        raise BadToken("the token is another user's")
    if claims.session and claims.session != session_digest(session.session_key):
        raise BadToken("the token is another session's")
    if not has_password(user, claims.password):
        raise BadToken("the password was changed after the token was issued")


def readmit(admitted: Admitted, session: Any) -> Admitted:
    """Ask again, with the user, the session and the operation as they are now.

    Raises Refused.
    """
    if admitted.is_client:
        user = user_with_key(admitted.user_key)
        if not user.is_authenticated or not has_password(user, admitted.password):
            raise Refused(Close.BAD_TOKEN, "the account was closed, or has another password")
        enforce(admitted.operation_id, user)
        return admitted
    session, user = read_anew(session)
    if str(user.pk) != admitted.user_key:
        raise Refused(Close.BAD_TOKEN, "the session has ended")
    enforce(admitted.operation_id, user)
    return replace(admitted, session_ends=end_of(session))


def enforce(operation_id: uuid.UUID, user: Any) -> LiveOperation:
    """Read the operation. Raises Refused unless the policy lets `user` watch it."""
    operation = LiveOperation.objects.find(operation_id)
    verdict = decide(user) if operation is None else decide(user, operation=operation)
    if verdict is not Verdict.ALLOWED:
        raise Refused(CLOSE_OF_VERDICT[verdict], f"verdict {verdict.name}")
    if operation is None:
        raise Refused(Close.UNKNOWN, "no such operation")
    return operation


def read_anew(session: Any) -> tuple[Any, Any]:
    """The session as it is at this moment, not as it was kept, and the user it stands for."""
    request = HttpRequest()
    request.session = session.__class__(session.session_key)
    return request.session, get_user(request)


def user_with_key(key: str) -> Any:
    """The active user with this primary key, or nobody."""
    try:
        user = get_user_model()._default_manager.filter(pk=key, is_active=True).first()
    except (ValueError, ValidationError):
        user = None
    return user or AnonymousUser()


def end_of(session: Any) -> datetime | None:
    """When this session ends, where the sessions are kept in a table."""
    ends: datetime | None = getattr(session, "ends_at", None)
    table = getattr(session, "model", None)
    if ends is None and table is not None:
        rows = table._default_manager.filter(pk=session.session_key)
        ends = rows.values_list("expire_date", flat=True).first()
    return ends


def operation_id_of(claims: Claims) -> uuid.UUID:
    """Raises Refused when the token is for something else than an operation."""
    prefix, _dot, key = claims.channels[0].partition(".") if claims.channels else ("", "", "")
    try:
        return uuid.UUID(key)
    except ValueError as error:
        raise Refused(Close.BAD_TOKEN, f"no operation's channel: {prefix}") from error
