"""Fixtures: somebody who is signed in to the stack."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from tests.client import SiteClient
from tests.services import Stack

PASSWORD = "correct horse battery staple"


@pytest.fixture
def member_groups() -> tuple[str, ...]:
    """The names of the groups that a new member is put into."""
    return ()


@pytest.fixture
def new_member(stack: Stack, member_groups: tuple[str, ...]) -> Iterator[Callable[[], SiteClient]]:
    """Makes a new user, signed in; each call another one."""
    with ExitStack() as clients:

        def make() -> SiteClient:
            name = f"member-{secrets.token_hex(4)}"
            user = User.objects.create_user(name, password=PASSWORD)
            user.groups.set([Group.objects.get_or_create(name=group)[0] for group in member_groups])
            client = clients.enter_context(SiteClient(stack.base_url))
            client.sign_in(name, PASSWORD)
            return client

        yield make


@pytest.fixture
def member(new_member: Callable[[], SiteClient]) -> SiteClient:
    return new_member()
