"""What tests of the API share: ann, signed in with an API token."""

from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from liveops.tasks import run_operation
from liveops.tests.make import make_user


@pytest.fixture(autouse=True)
def nobody_has_asked_yet() -> None:
    """Requests are counted in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that went to the broker, as (id, attempt)."""
    messages: list[tuple[str, int]] = []

    def keep(args: tuple[str, int], *_more: Any, **_options: Any) -> None:
        messages.append((args[0], args[1]))

    monkeypatch.setattr(run_operation, "apply_async", keep)
    return messages


@pytest.fixture
def ann(db: None) -> Any:
    return make_user("ann")


@pytest.fixture
def bob(db: None) -> Any:
    return make_user("bob")


def client_of(user: Any) -> APIClient:
    """A program with the API token of `user`."""
    token, _created = Token.objects.get_or_create(user=user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


@pytest.fixture
def api(ann: Any, sent: list[tuple[str, int]]) -> APIClient:
    return client_of(ann)
