"""Fixtures: somebody who is signed in to the stack."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from accounts.models import User
from tests.client import SiteClient
from tests.services import Stack

PASSWORD = "correct horse battery staple"


@pytest.fixture
def new_member(stack: Stack) -> Iterator[Callable[[], SiteClient]]:
    """Makes a new user, signed in; each call another one."""
    with ExitStack() as clients:

        def make() -> SiteClient:
            name = f"member-{secrets.token_hex(4)}"
            User.objects.create_user(name, password=PASSWORD)
            client = clients.enter_context(SiteClient(stack.base_url))
            client.sign_in(name, PASSWORD)
            return client

        yield make


@pytest.fixture
def member(new_member: Callable[[], SiteClient]) -> SiteClient:
    return new_member()
