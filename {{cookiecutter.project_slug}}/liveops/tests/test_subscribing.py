"""Who may open a websocket, and the code with which everybody else is closed."""

import json

import pytest
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from liveops.models import LiveOperation
from liveops.security import make_subscription_token
from liveops.tests.make import make_operation, make_user
from liveops.tests.socket_client import Page, SignedIn, in_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operation(ann):
    return make_operation(ann.user)


@pytest.fixture
def bob():
    return SignedIn(make_user("bob"))


async def refusal(session, token):
    """The code that a socket of this session gets which subscribes with this token."""
    page = Page(session)
    await page.socket.connect()
    await page.say(type="subscribe", token=token, after=None)
    message = await page.socket.receive_output(timeout=10)
    assert message["type"] == "websocket.close", message
    assert "reason" not in message or not message["reason"]
    return message["code"]


async def test_the_owner_subscribes_and_gets_a_snapshot(ann, operation):
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
        snapshot = await page.hear()
    assert (snapshot["type"], snapshot["state"]) == ("snapshot", "QUEUED")


async def test_a_token_without_session_is_good_for_its_user(ann, operation):
    async with Page(ann) as page:
        await page.subscribe(make_subscription_token(ann.user, operation))


@pytest.mark.parametrize("origin", [b"http://evil.example", None, b"null", b"testserver.evil", b""])
async def test_a_foreign_origin_is_refused_before_accept(ann, origin):
    connected, _code = await Page(ann, origin).socket.connect()
    assert not connected


@pytest.mark.parametrize(
    "text",
    ["{", '{"type": "publish"}', '{"type": "subscribe"}', "[" * 50_000, '{"type": "ack"}'],
)
async def test_malformed(ann, text):
    async with Page(ann) as page:
        await page.socket.send_to(text_data=text)
        assert await page.close_code() == 4400


async def test_an_ack_before_the_subscription_is_malformed(ann):
    async with Page(ann) as page:
        await page.ack(1, 1)
        assert await page.close_code() == 4400


async def test_a_binary_frame_is_malformed(ann):
    async with Page(ann) as page:
        await page.socket.send_to(bytes_data=b"\x00\xff")
        assert await page.close_code() == 4400


async def test_a_second_subscription_is_malformed(ann, operation):
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
        await page.say(type="subscribe", token=await in_database(ann.token)(operation))
        assert await page.close_code() == 4400


async def test_nothing_is_read_after_a_close(ann, operation):
    async with Page(ann) as page:
        await page.socket.send_to(text_data="nonsense")
        assert await page.close_code() == 4400
        await page.say(type="subscribe", token=ann.token(operation))
        assert await page.hears_nothing()


async def test_no_session(ann, operation):
    assert await refusal(None, make_subscription_token(ann.user, operation)) == 4401


async def test_the_token_of_somebody_else(ann, bob, operation):
    assert await refusal(bob, make_subscription_token(ann.user, operation)) == 4401


async def test_the_token_of_another_session(ann, operation):
    other = await in_database(SignedIn)(ann.user)
    assert await refusal(other, ann.token(operation)) == 4401


async def test_a_replayed_token(ann, operation):
    token = ann.token(operation)
    async with Page(ann) as page:
        await page.subscribe(token)
    assert await refusal(ann, token) == 4401


async def test_a_refused_token_of_somebody_else_is_not_used_up(ann, bob, operation):
    token = make_subscription_token(ann.user, operation)
    assert await refusal(bob, token) == 4401
    async with Page(ann) as page:
        await page.subscribe(token)


async def test_a_tampered_token(ann, operation):
    assert await refusal(ann, ann.token(operation) + "x") == 4401


async def test_a_token_for_something_else_than_an_operation(ann):
    class Other:
        def get_channel_name(self):
            return "news.sports"

    assert await refusal(ann, make_subscription_token(ann.user, Other())) == 4401


async def test_a_deactivated_user(ann, operation):
    token = ann.token(operation)
    ann.user.is_active = False
    await in_database(ann.user.save)()
    assert await refusal(ann, token) == 4401


async def test_not_in_the_group(ann, operation, settings):
    settings.LIVEOPS = {"REQUIRED_GROUP": "staff"}
    assert await refusal(ann, ann.token(operation)) == 4403


async def test_a_foreign_and_an_unknown_operation_cannot_be_told_apart(ann, bob, operation):
    foreign = await refusal(bob, make_subscription_token(bob.user, operation))
    unknown = await refusal(bob, make_subscription_token(bob.user, LiveOperation()))
    assert foreign == unknown == 4404


async def test_no_subscription_in_time(ann, settings):
    settings.LIVEOPS = {"SUBSCRIBE_WITHIN": 0.05}
    async with Page(ann) as page:
        assert await page.close_code() == 4408


async def test_an_expired_token(ann, operation, settings):
    token = ann.token(operation)
    settings.LIVEOPS = {"TOKEN_TTL": -10}
    assert await refusal(ann, token) == 4410


async def test_too_many_messages(ann, operation, settings):
    settings.LIVEOPS = {"MAX_MESSAGES": 5}
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
        for _ in range(5):
            await page.ack(1, 0)
        assert await page.close_code() == 4429


async def test_a_message_that_is_too_big(ann):
    async with Page(ann) as page:
        await page.socket.send_to(text_data=json.dumps("x" * 65_535))
        assert await page.close_code() == 1009


async def test_size_is_measured_in_bytes(ann):
    async with Page(ann) as page:
        await page.socket.send_to(text_data='"' + "é" * 40_000 + '"')
        assert await page.close_code() == 1009


async def test_a_message_of_the_largest_size_is_read(ann):
    async with Page(ann) as page:
        await page.socket.send_to(text_data=json.dumps("x" * (64 * 1024 - 2)))
        assert await page.close_code() == 4400


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("django.core.cache.backends.locmem.LocMemCache.add", RedisConnectionError("down")),
        ("liveops.consumers.admit", OperationalError("database is locked")),
        ("liveops.hub.Hub.join", OSError("down")),
    ],
)
async def test_a_service_that_is_away(ann, operation, monkeypatch, what, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(what, fail)
    assert await refusal(ann, ann.token(operation)) == 1013


class TestApiClients:
    """A socket without a session, and a token that was issued over the API."""

    def token(self, user, operation):
        return make_subscription_token(user, operation, for_client=True)

    async def test_such_a_token_needs_no_session(self, ann, operation):
        async with Page(None) as page:
            await page.subscribe(self.token(ann.user, operation))

    async def test_a_pages_token_does(self, ann, operation):
        assert await refusal(None, make_subscription_token(ann.user, operation)) == 4401
        assert await refusal(None, ann.token(operation)) == 4401

    async def test_its_user_may_be_signed_in(self, ann, operation):
        async with Page(ann) as page:
            await page.subscribe(self.token(ann.user, operation))

    async def test_nobody_else_may(self, ann, bob, operation):
        assert await refusal(bob, self.token(ann.user, operation)) == 4401

    async def test_it_works_once(self, ann, operation):
        token = self.token(ann.user, operation)
        async with Page(None) as page:
            await page.subscribe(token)
        assert await refusal(None, token) == 4401

    async def test_its_user_must_be_active(self, ann, operation):
        token = self.token(ann.user, operation)
        ann.user.is_active = False
        await in_database(ann.user.save)()
        assert await refusal(None, token) == 4401

    async def test_its_operation_must_be_the_users(self, ann, bob, operation):
        assert await refusal(None, self.token(bob.user, operation)) == 4404


@pytest.mark.parametrize("for_client", [False, True])
async def test_a_new_password_voids_a_token(ann, operation, for_client):
    token = make_subscription_token(ann.user, operation, for_client=for_client)
    ann.user.set_password("another one")
    await in_database(ann.user.save)()
    await in_database(ann.client.force_login)(ann.user)
    ann.key = ann.client.session.session_key
    assert await refusal(None if for_client else ann, token) == 4401
