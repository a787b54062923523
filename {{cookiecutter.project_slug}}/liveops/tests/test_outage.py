"""Redis is away: sockets that are open stay right, new ones are told to come back."""

from datetime import timedelta

import pytest
from channels.layers import InMemoryChannelLayer
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from liveops.hints import show_alive
from liveops.models import LiveOperation, State
from liveops.tests.make import add_lines, make_operation
from liveops.tests.socket_client import Page, in_database


@pytest.fixture
def redis_away(monkeypatch):
    """`redis_away("new_channel")` makes that fail; gives the list of the calls."""
    calls = []

    def fail_at(name):
        async def fail(*args):
            calls.append(name)
            raise RedisConnectionError("connection refused")

        monkeypatch.setattr(InMemoryChannelLayer, name, fail)
        return calls

    return fail_at


class TestHandshake:
    async def test_is_answered_and_closed_with_1013(self, ann, front, redis_away):
        redis_away("new_channel")
        async with Page(ann) as page:
            assert await page.close_code() == 1013

    async def test_does_not_wait_for_what_just_failed(self, ann, front, redis_away):
        calls = redis_away("new_channel")
        for _ in range(3):
            async with Page(ann) as page:
                assert await page.close_code() == 1013
        # Twice by the first one: only its connection could have been dead.
        assert len(calls) == 2
        front.away_until -= 1
        async with Page(ann) as page:
            assert await page.close_code() == 1013
        assert len(calls) == 4

    async def test_a_connection_that_died_meanwhile_costs_nobody_the_handshake(
        self, ann, watched, front, monkeypatch
    ):
        calls = []
        new_channel = InMemoryChannelLayer.new_channel

        async def fail_once(*args):
            calls.append(args)
            if len(calls) == 1:
                raise RedisConnectionError("connection reset by peer")
            return await new_channel(*args)

        monkeypatch.setattr(InMemoryChannelLayer, "new_channel", fail_once)
        async with Page(ann) as page:
            await page.follow(ann, watched)
        assert len(calls) == 2

    async def test_works_again_when_redis_is_back(self, ann, watched, front):
        with pytest.MonkeyPatch.context() as away:
            away.setattr(front, "away_until", float("inf"))
            async with Page(ann) as page:
                assert await page.close_code() == 1013
        async with Page(ann) as page:
            await page.follow(ann, watched)

    async def test_what_breaks_later_closes_too(self, ann, watched, front, monkeypatch):
        async def fail(*args, **kwargs):
            raise RedisConnectionError("connection refused")

        async with Page(ann) as page:
            monkeypatch.setattr("liveops.consumers.LiveOperationConsumer.receive", fail)
            await page.say(type="ack", attempt=1, seq=1)
            assert await page.close_code() == 1013

    async def test_a_fault_of_our_own_is_none_of_redis(self, ann, front, monkeypatch):
        async def fail(*args):
            raise ZeroDivisionError

        monkeypatch.setattr(InMemoryChannelLayer, "new_channel", fail)
        with pytest.raises(ZeroDivisionError):
            async with Page(ann):
                pass


class TestOpenSocket:
    async def test_leaves_without_an_error(self, ann, watched, front, redis_away):
        calls = redis_away("group_discard")
        async with Page(ann) as page:
            await page.follow(ann, watched)
        assert calls == ["group_discard"]

    async def test_stays_right_with_every_heartbeat(self, ann, watched, front, settings):
        settings.LIVEOPS = {"HEARTBEAT_EVERY": 0.2}
        async with Page(ann) as page:
            await page.follow(ann, watched)
            for number in range(4, 8):
                await in_database(add_lines)(watched, f"line {number}")
                await LiveOperation.objects.aupdate(heartbeat_at=timezone.now())
                frame, beat = await page.hear(), await page.hear()
                assert (frame["seq"], beat["type"], beat["seq"]) == (number, "heartbeat", number)
                assert beat["age"] < 1


class TestSilenceOfTheWorker:
    @pytest.fixture
    def silent(self, ann):
        long_ago = timezone.now() - timedelta(seconds=40)
        return make_operation(ann.user, state=State.RUNNING, seq=3, heartbeat_at=long_ago)

    async def test_is_told_to_who_just_came(self, ann, silent, front):
        async with Page(ann) as page:
            await page.follow(ann, silent)
            beat = await page.hear()
            assert (beat["type"], beat["state"], beat["seq"]) == ("heartbeat", "RUNNING", 3)
            assert 40 <= beat["age"] < 45

    async def test_a_worker_that_cannot_write_its_row_is_not_silent(self, ann, silent, front):
        await in_database(show_alive)(silent.pk, 1)
        async with Page(ann) as page:
            await page.follow(ann, silent)
            assert await page.hears_nothing()

    async def test_what_is_over_is_not_silent(self, ann, silent, front):
        await LiveOperation.objects.aupdate(state=State.FAILED)
        async with Page(ann) as page:
            await page.follow(ann, silent)
            assert await page.hears_nothing()
