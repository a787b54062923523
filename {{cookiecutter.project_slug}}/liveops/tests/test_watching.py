"""A socket shows every frame once and in order, whatever gets lost on the way."""

import json
from datetime import timedelta
from typing import Any

import pytest
from channels.layers import channel_layers
from django.db import OperationalError
from django.utils import timezone

from liveops.models import LiveOperation, State
from liveops.tests.make import add_lines, make_operation, make_user
from liveops.tests.socket_client import Page, SignedIn, in_database, push, tell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_channel_layer():
    """The in-memory layer belongs to the event loop of its test."""
    channel_layers.backends.clear()


@pytest.fixture
def ann():
    return SignedIn(make_user())


@pytest.fixture
def operation(ann):
    """Running; three frames with a line each are on record."""
    operation = make_operation(ann.user, state=State.RUNNING)
    for text in ("one", "two", "three"):
        add_lines(operation, text)
    return operation


async def follow(page, ann, operation, after=(1, 3)):
    """Subscribe as a page that has seen everything on record."""
    await page.subscribe(ann.token(operation), after=after)


async def test_a_page_that_is_up_to_date_gets_nothing_but_what_is_new(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        assert await page.hears_nothing()
        await push(operation, 4, parts={"status": "<p>new</p>"})
        assert await page.hear() == {
            "type": "frame",
            "attempt": 1,
            "seq": 4,
            "parts": {"status": "<p>new</p>"},
        }


async def test_a_page_that_was_away_gets_the_missed_lines(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation, after=(1, 1))
        frame = await page.hear()
        assert (frame["type"], frame["seq"]) == ("frame", 3)
        assert (frame["log"]["first"], frame["log"]["last"]) == (2, 3)


@pytest.mark.parametrize("after", [None, (0, 7), (1, 9), (7, 7)])
async def test_a_page_that_saw_something_else_gets_a_snapshot(ann, operation, after):
    async with Page(ann) as page:
        await follow(page, ann, operation, after)
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["attempt"], snapshot["seq"]) == ("snapshot", 1, 3)
        await push(operation, 4)
        assert (await page.hear())["seq"] == 4


async def test_a_catch_up_goes_to_one_socket_only(ann, operation):
    async with Page(ann) as one, Page(ann) as other:
        await follow(one, ann, operation)
        await follow(other, ann, operation, after=(1, 0))
        assert (await other.hear())["seq"] == 3
        assert await one.hears_nothing()


@pytest.mark.parametrize("seq", [1, 3])
async def test_a_frame_that_was_seen_is_dropped(ann, operation, seq):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await push(operation, seq, recorded=3)
        assert await page.hears_nothing()


async def test_a_frame_that_comes_twice_is_shown_once(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await push(operation, 4)
        await push(operation, 4)
        await push(operation, 5)
        assert [(await page.hear())["seq"], (await page.hear())["seq"]] == [4, 5]


async def test_a_gap_is_filled_from_the_record(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        for text in ("four", "five", "six"):
            await in_database(add_lines)(operation, text)
        await push(operation, 6)
        frame = await page.hear()
        assert (frame["seq"], frame["log"]["first"], frame["log"]["last"]) == (6, 4, 6)
        assert await page.hears_nothing()


async def test_a_gap_is_filled_before_a_frame_that_is_ahead_of_the_record(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await in_database(add_lines)(operation, "four")
        await in_database(add_lines)(operation, "five")
        await push(operation, 6, recorded=5)
        assert [(await page.hear())["seq"], (await page.hear())["seq"]] == [5, 6]


async def test_when_the_record_cannot_fill_a_gap_one_snapshot_follows(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await push(operation, 6, recorded=3)
        await push(operation, 7, recorded=3)
        assert [(await page.hear())["seq"], (await page.hear())["seq"]] == [6, 7]
        await in_database(add_lines)(operation, "four", "five", seq=8)
        await push(operation, 8)
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 8)
        assert snapshot["log"]["last"] == 5
        await push(operation, 9)
        assert (await page.hear())["type"] == "frame"


async def test_a_heartbeat_brings_the_snapshot_too(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await push(operation, 6, recorded=3)
        assert (await page.hear())["seq"] == 6
        await in_database(add_lines)(operation, "four", seq=6)
        await beat(operation, 6)
        assert (await page.hear())["type"] == "snapshot"
        assert (await page.hear())["type"] == "heartbeat"


async def beat(operation, seq, recorded=None):
    recorded = seq if recorded is None else recorded
    message = {"attempt": operation.attempt, "seq": seq, "state": "RUNNING", "recorded": recorded}
    await tell(operation, type="liveop.heartbeat", **message)


async def test_a_heartbeat_tells_where_the_page_is(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await beat(operation, 3)
        heartbeat = {"type": "heartbeat", "attempt": 1, "seq": 3, "state": "RUNNING", "age": 0.0}
        assert await page.hear() == heartbeat


async def test_a_heartbeat_shows_that_the_last_frame_was_lost(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await in_database(add_lines)(operation, "four")
        await beat(operation, 4)
        assert (await page.hear())["seq"] == 4
        assert (await page.hear())["seq"] == 4


async def test_a_new_attempt_is_a_snapshot_and_the_old_one_is_over(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await LiveOperation.objects.aupdate(state=State.FAILED)
        assert await in_database(operation.restart)()
        await tell(operation, type="liveop.changed")
        snapshot = await page.hear()
        position = (snapshot["type"], snapshot["attempt"], snapshot["seq"], snapshot["state"])
        assert position == ("snapshot", 2, 0, "QUEUED")
        await push(operation, 9, attempt=1)
        assert await page.hears_nothing()
        await push(operation, 1, recorded=0)
        assert (await page.hear())["seq"] == 1


async def test_a_new_attempt_is_noticed_by_its_first_frame(ann, operation):
    async with Page(ann) as page:
        await follow(page, ann, operation)
        await LiveOperation.objects.aupdate(attempt=2, seq=1, log_lines=0)
        await push(operation, 1, attempt=2)
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["attempt"], snapshot["seq"]) == ("snapshot", 2, 1)
        assert await page.hears_nothing()


class TestFlowControl:
    """A browser that does not read costs the server a bounded amount of memory."""

    LIMIT = 1_000

    @pytest.fixture(autouse=True)
    def small_window(self, settings):
        settings.LIVEOPS = {"MAX_UNACKNOWLEDGED": self.LIMIT}

    async def flood(self, operation, first, last):
        for seq in range(first, last + 1):
            await in_database(add_lines)(operation, f"line {seq}")
            await push(operation, seq, filler="x" * 300)

    async def test_no_more_than_the_limit_is_in_flight_then_one_catch_up(self, ann, operation):
        async with Page(ann) as page:
            await follow(page, ann, operation)
            await self.flood(operation, 4, 23)
            sent: list[dict[str, Any]] = []
            while not await page.hears_nothing() and len(sent) < 20:
                sent.append(await page.hear())
            sizes = [len(json.dumps(message)) for message in sent]
            assert sum(sizes[:-1]) <= self.LIMIT < sum(sizes)
            await page.ack(1, sent[-1]["seq"])
            frame = await page.hear()
            assert (frame["type"], frame["seq"]) == ("frame", 23)
            assert frame["log"]["first"] == sent[-1]["seq"] + 1
            assert await page.hears_nothing()

    async def test_an_ack_of_something_else_opens_nothing(self, ann, operation):
        async with Page(ann) as page:
            await follow(page, ann, operation)
            await self.flood(operation, 4, 10)
            while not await page.hears_nothing():
                await page.hear()
            await page.ack(1, 3)
            assert await page.hears_nothing()

    async def test_who_acknowledges_gets_every_frame(self, ann, operation):
        async with Page(ann) as page:
            await follow(page, ann, operation)
            for seq in range(4, 14):
                await self.flood(operation, seq, seq)
                frame = await page.hear()
                assert frame["seq"] == seq
                assert "filler" in frame
                await page.ack(1, seq)


class TestWithoutRedis:
    """When nothing comes through the channel layer, the record is read."""

    @pytest.fixture(autouse=True)
    def look_often(self, settings):
        settings.LIVEOPS = {"HEARTBEAT_EVERY": 0.05}

    async def test_what_is_new_comes_from_the_record(self, ann, operation):
        async with Page(ann) as page:
            await follow(page, ann, operation)
            await in_database(add_lines)(operation, "four")
            while (message := await page.hear())["type"] == "heartbeat":
                pass
            assert (message["seq"], message["log"]["last"]) == (4, 4)

    async def test_the_age_of_the_last_sign_of_life(self, ann, operation):
        ago = timezone.now() - timedelta(seconds=20)
        await LiveOperation.objects.aupdate(heartbeat_at=ago)
        async with Page(ann) as page:
            await follow(page, ann, operation)
            heartbeat = await page.hear()
            assert heartbeat["type"] == "heartbeat"
            assert 20 <= heartbeat["age"] < 40

    async def test_nothing_is_said_about_what_has_ended(self, ann, operation):
        await LiveOperation.objects.aupdate(state=State.SUCCEEDED)
        async with Page(ann) as page:
            await follow(page, ann, operation)
            assert await page.hears_nothing()

    async def test_a_database_that_is_away_closes_no_socket(self, ann, operation, monkeypatch):
        def fail(*args):
            raise OperationalError("database is locked")

        async with Page(ann) as page:
            await follow(page, ann, operation)
            with monkeypatch.context() as away:
                away.setattr("liveops.consumers.catch_up", fail)
                await push(operation, 5, recorded=3)
                assert (await page.hear())["seq"] == 5
            await in_database(add_lines)(operation, "four", seq=6)
            while (message := await page.hear())["type"] == "heartbeat":
                pass
            assert message["seq"] == 6
