"""Rights that end while a socket is open: it closes because somebody says so, at once."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from liveops.admission import admit
from liveops.hints import REVOCATIONS
from liveops.models import LiveOperation
from liveops.revocation import MOST_AT_ONCE, ask_again, revoke_clients
from liveops.security import make_subscription_token
from liveops.tests.make import make_operation, make_user
from liveops.tests.socket_client import Page, in_database
from tests.kinds.models import Chatter


@pytest.fixture(autouse=True)
def never_asked_again(settings):
    """So that only what is said can close a socket."""
    settings.LIVEOPS = {"REVALIDATE_EVERY": 3600.0, "REQUIRED_GROUP": "staff"}


@pytest.fixture
def staff():
    return Group.objects.create(name="staff")


@pytest.fixture
def operation(ann, staff):
    ann.user.groups.add(staff)
    return make_operation(ann.user)


async def code_after(ann, operation, act):
    """The code with which her page is closed when `act` is called."""
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
        await in_database(act)()
        return await page.close_code()


async def client_code_after(ann, operation, act):
    """The same for an API client of hers."""
    async with Page(None) as page:
        await page.subscribe(make_subscription_token(ann.user, operation, for_client=True))
        await in_database(act)()
        return await page.close_code()


def change(user, **fields):
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()


def set_password(user):
    user.set_password("another one")
    user.save()


class TestOfASession:
    async def test_logout(self, ann, operation):
        assert await code_after(ann, operation, ann.client.logout) == 4401

    async def test_logout_on_the_page(self, ann, operation):
        def leave():
            ann.client.post("/accounts/logout/")

        assert await code_after(ann, operation, leave) == 4401

    async def test_a_session_that_is_deleted(self, ann, operation):
        assert await code_after(ann, operation, Session.objects.all().delete) == 4401

    async def test_a_session_that_runs_out(self, ann, operation):
        soon = timezone.now() + timedelta(seconds=0.5)
        await Session.objects.aupdate(expire_date=soon)
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            assert await page.close_code() == 4401

    async def test_the_other_sessions_of_the_user_go_on(self, ann, operation):
        other = Client()
        await in_database(other.force_login)(ann.user)
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            assert (await page.hear())["type"] == "snapshot"
            await in_database(other.logout)()
            assert await page.hears_nothing()


@pytest.mark.parametrize("code_of", [code_after, client_code_after], ids=["session", "client"])
class TestOfAnAccount:
    async def test_password_change(self, ann, operation, code_of):
        assert await code_of(ann, operation, lambda: set_password(ann.user)) == 4401

    async def test_deactivation(self, ann, operation, code_of):
        assert await code_of(ann, operation, lambda: change(ann.user, is_active=False)) == 4401

    async def test_deletion_of_the_user(self, ann, operation, code_of):
        users = get_user_model().objects.all()
        assert await code_of(ann, operation, users.delete) in {4401, 4404}

    async def test_removal_from_the_group(self, ann, operation, code_of, staff):
        assert await code_of(ann, operation, lambda: ann.user.groups.remove(staff)) == 4403

    async def test_removal_by_the_group(self, ann, operation, code_of, staff):
        assert await code_of(ann, operation, lambda: staff.user_set.remove(ann.user)) == 4403

    async def test_a_group_that_is_emptied(self, ann, operation, code_of, staff):
        assert await code_of(ann, operation, staff.user_set.clear) == 4403

    async def test_a_user_who_leaves_all_groups(self, ann, operation, code_of):
        assert await code_of(ann, operation, ann.user.groups.clear) == 4403

    async def test_a_group_that_is_deleted(self, ann, operation, code_of, staff):
        assert await code_of(ann, operation, staff.delete) == 4403

    async def test_a_group_that_is_renamed(self, ann, operation, code_of, staff):
        assert await code_of(ann, operation, lambda: change(staff, name="crew")) == 4403

    async def test_no_superuser_any_more(self, ann, operation, code_of):
        await ann.user.groups.aclear()
        await in_database(change)(ann.user, is_superuser=True)
        assert await code_of(ann, operation, lambda: change(ann.user, is_superuser=False)) == 4403

    async def test_deletion_of_the_operation(self, ann, operation, code_of):
        assert await code_of(ann, operation, operation.delete) == 4404

    async def test_deletion_of_many_operations(self, ann, operation, code_of):
        await in_database(make_operation)(ann.user)
        assert await code_of(ann, operation, LiveOperation.objects.all().delete) == 4404

    async def test_deletion_of_a_kind_with_a_table_of_its_own(self, ann, staff, code_of):
        await ann.user.groups.aadd(staff)
        operation = await in_database(make_operation)(ann.user, kind=Chatter)
        assert await code_of(ann, operation, operation.delete) == 4404


class TestOfAClient:
    async def test_a_credential_that_is_revoked(self, ann, operation):
        def revoke():
            revoke_clients(ann.user.pk)

        assert await client_code_after(ann, operation, revoke) == 4410

    async def test_the_pages_of_the_user_go_on(self, ann, operation):
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            assert (await page.hear())["type"] == "snapshot"
            await in_database(revoke_clients)(ann.user.pk)
            assert await page.hears_nothing()

    async def test_a_logout_is_not_its_business(self, ann, operation):
        async with Page(None) as page:
            await page.subscribe(make_subscription_token(ann.user, operation, for_client=True))
            assert (await page.hear())["type"] == "snapshot"
            await in_database(ann.client.logout)()
            assert await page.hears_nothing()


async def test_others_are_not_asked(ann, operation, staff):
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
        assert (await page.hear())["type"] == "snapshot"
        bob = await in_database(make_user)("bob", "staff")
        await in_database(set_password)(bob)
        assert await page.hears_nothing()


async def test_a_sign_in_asks_nobody(ann, operation, monkeypatch):
    told = []
    monkeypatch.setattr("liveops.revocation.tell", lambda groups, message: told.append(message))
    await in_database(Client().force_login)(ann.user)
    assert told == []


async def test_a_right_that_ends_while_it_is_asked_about(ann, operation, monkeypatch):
    """After the policy has said yes, and before the socket hears of the operation."""

    def admit_and_lose_the_group(*args):
        admitted = admit(*args)
        ann.user.groups.clear()
        return admitted

    monkeypatch.setattr("liveops.consumers.admit", admit_and_lose_the_group)
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
        assert await page.close_code() == 4403


async def test_a_right_that_ends_between_handshake_and_subscription(ann, operation):
    """What the handshake knew of the user counts only as long as nobody says otherwise."""
    token = ann.token(operation)
    async with Page(ann) as first:
        # From now on the web server hears of it.
        await first.subscribe(await in_database(ann.token)(operation))
        async with Page(ann) as page:
            await in_database(ann.user.groups.clear)()
            assert await first.close_code() == 4403
            await page.say(type="subscribe", token=token, after=None)
            assert await page.close_code() == 4403


@pytest.mark.django_db
def test_many_users_are_told_in_few_messages(monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr("liveops.revocation.tell", lambda *message: told.append(message))
    with django_capture_on_commit_callbacks(execute=True):
        ask_again(range(MOST_AT_ONCE + 1))
    assert [groups for groups, _message in told] == [[REVOCATIONS], [REVOCATIONS]]
    users = [user for _groups, message in told for user in message["users"]]
    assert users == [str(number) for number in range(MOST_AT_ONCE + 1)]
