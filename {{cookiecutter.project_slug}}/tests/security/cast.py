"""Who comes to the door: people of every kind of right, each with an operation to ask for."""

import secrets
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import User
from liveops.models import LiveOperation, State
from liveops.security import make_subscription_token
from liveops.tests.make import add_lines, make_operation
from tests.kinds.guarded import GROUP as KIND_GROUP
from tests.kinds.guarded import Guarded
from tests.security.stack import SITE_GROUP

# Reading them takes longer than a whole visit.
CERTIFICATES = ssl.create_default_context()
# Every session that was made here; no log may hold one.
SESSION_KEYS: set[str] = set()


def make_person(*groups: str, is_superuser: bool = False) -> User:
    user = User.objects.create_user(
        f"person-{secrets.token_hex(6)}", is_superuser=is_superuser, is_staff=is_superuser
    )
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    return user


def make_secret_operation(owner: User, state: State = State.SUCCEEDED) -> tuple[LiveOperation, str]:
    """A finished operation, and a word that is in everything that it has to show."""
    word = f"needle{secrets.token_hex(8)}"
    operation = make_operation(
        owner,
        Guarded,
        state,
        own={"note": word},
        status_text=word,
        result_context={"word": word},
        error=word,
    )
    add_lines(operation, word)
    operation.report.save("report.txt", ContentFile(word.encode()))
    return operation, word


@dataclass
class Visitor(AbstractContextManager["Visitor"]):
    """Somebody with a session, and the operation that they ask for."""

    user: User | None
    operation: LiveOperation
    word: str
    session_key: str
    http: httpx.Client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def token(self, operation: LiveOperation | None = None, *, session_key: str = "") -> str:
        """A token made for this session, whatever the token's view would say to that."""
        user = self.user or self.operation.owner
        key = session_key or self.session_key
        return make_subscription_token(user, operation or self.operation, session_key=key)

    def client_token(self, operation: LiveOperation | None = None) -> str:
        """A token as the API gives it to a client without a session."""
        user = self.user or self.operation.owner
        return make_subscription_token(user, operation or self.operation, for_client=True)

    @property
    def cookie(self) -> str:
        return f"{settings.SESSION_COOKIE_NAME}={self.session_key}" if self.session_key else ""


def session_of(user: User) -> str:
    """A new session of the user, made without a form."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    key = str(client.session.session_key)
    SESSION_KEYS.add(key)
    return key


def an_address() -> str:
    """Whoever visits has an address of their own, so that no limit on addresses counts others."""
    return f"127.{secrets.randbelow(250) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"


def visit(base_url: str, user: User | None, operation: LiveOperation, word: str) -> Visitor:
    """Somebody who has a session, unless they are nobody, and whose forms have a CSRF token."""
    csrf = secrets.token_hex(16)
    cookies = {settings.CSRF_COOKIE_NAME: csrf}
    key = session_of(user) if user else ""
    if key:
        cookies[settings.SESSION_COOKIE_NAME] = key
    http = httpx.Client(
        base_url=base_url,
        cookies=cookies,
        headers={"X-CSRFToken": csrf},
        timeout=60,
        transport=httpx.HTTPTransport(local_address=an_address(), verify=CERTIFICATES),
    )
    return Visitor(user, operation, word, key, http)


def of_their_own(*groups: str) -> Callable[[str], Visitor]:
    """Somebody in these groups who asks for an operation of their own."""

    def make(base_url: str) -> Visitor:
        user = make_person(*groups)
        return visit(base_url, user, *make_secret_operation(user))

    return make


def of_somebody(*groups: str, is_superuser: bool = False) -> Callable[[str], Visitor]:
    """Somebody in these groups who asks for an operation of somebody else."""

    def make(base_url: str) -> Visitor:
        owner = make_person(SITE_GROUP, KIND_GROUP)
        return visit(
            base_url, make_person(*groups, is_superuser=is_superuser), *make_secret_operation(owner)
        )

    return make


def anonymous(base_url: str) -> Visitor:
    return visit(base_url, None, *make_secret_operation(make_person(SITE_GROUP, KIND_GROUP)))


def deactivated(base_url: str) -> Visitor:
    """The session is from before; the operation is their own."""
    visitor = of_their_own(SITE_GROUP, KIND_GROUP)(base_url)
    User.objects.filter(pk=visitor.user.pk if visitor.user else 0).update(is_active=False)
    return visitor


# In the order of the columns of `access.TABLE`.
CAST: dict[str, Callable[[str], Visitor]] = {
    "anonymous": anonymous,
    "owner": of_their_own(SITE_GROUP, KIND_GROUP),
    "other": of_somebody(SITE_GROUP, KIND_GROUP),
    # Their operations are from the time when they were in the group.
    "not in site group": of_their_own(KIND_GROUP),
    "not in kind group": of_their_own(SITE_GROUP),
    "deactivated": deactivated,
    "superuser": of_somebody(is_superuser=True),
}
