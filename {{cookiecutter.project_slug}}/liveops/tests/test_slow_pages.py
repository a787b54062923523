"""What a socket gets whose browser does not keep up, or that Redis has forgotten."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from liveops.models import LiveOperation, State
from liveops.tests.make import add_lines
from liveops.tests.socket_client import Page, in_database, push


class TestFlowControl:
    """A browser that does not read costs the server a bounded amount of memory."""

    LIMIT = 1_000

    @pytest.fixture(autouse=True)
    def small_window(self, settings):
        settings.LIVEOPS = {"MAX_UNACKNOWLEDGED": self.LIMIT}

    async def flood(self, watched, first, last):
        for seq in range(first, last + 1):
            await in_database(add_lines)(watched, f"line {seq}")
            await push(watched, seq, filler="x" * 300)

    async def all_that_fits(self, page):
        """Until more than the limit is in flight, and not one message longer."""
        sent: list[dict[str, Any]] = []
        while sum(len(json.dumps(message)) for message in sent) <= self.LIMIT:
            sent.append(await page.hear())
        assert await page.hears_nothing()
        return sent

    async def test_no_more_than_the_limit_is_in_flight_then_one_catch_up(self, ann, watched):
        async with Page(ann) as page:
            await page.follow(ann, watched)
            await self.flood(watched, 4, 23)
            sent = await self.all_that_fits(page)
            await page.ack(1, sent[-1]["seq"])
            frame = await page.hear()
            assert (frame["type"], frame["seq"]) == ("frame", 23)
            assert frame["log"]["first"] == sent[-1]["seq"] + 1
            assert await page.hears_nothing()

    async def test_an_ack_of_something_else_opens_nothing(self, ann, watched):
        async with Page(ann) as page:
            await page.follow(ann, watched)
            await self.flood(watched, 4, 10)
            await self.all_that_fits(page)
            await page.ack(1, 3)
            assert await page.hears_nothing()

    async def test_who_acknowledges_gets_every_frame(self, ann, watched):
        async with Page(ann) as page:
            await page.follow(ann, watched)
            for seq in range(4, 14):
                await self.flood(watched, seq, seq)
                frame = await page.hear()
                assert frame["seq"] == seq
                assert "filler" in frame
                await page.ack(1, seq)


class TestWithoutRedis:
    """When nothing comes through the channel layer, the record is read."""

    @pytest.fixture(autouse=True)
    def look_often(self, settings):
        settings.LIVEOPS = {"HEARTBEAT_EVERY": 0.05}

    async def test_what_is_new_comes_from_the_record(self, ann, watched):
        async with Page(ann) as page:
            await page.follow(ann, watched)
            await in_database(add_lines)(watched, "four")
            while (message := await page.hear())["type"] == "heartbeat":
                pass
            assert (message["seq"], message["log"]["last"]) == (4, 4)

    async def test_the_age_of_the_last_sign_of_life(self, ann, watched):
        ago = timezone.now() - timedelta(seconds=20)
        await LiveOperation.objects.aupdate(heartbeat_at=ago)
        async with Page(ann) as page:
            await page.follow(ann, watched)
            heartbeat = await page.hear()
            assert heartbeat["type"] == "heartbeat"
            assert 20 <= heartbeat["age"] < 40

    async def test_nothing_is_said_about_what_has_ended(self, ann, watched):
        await LiveOperation.objects.aupdate(state=State.SUCCEEDED)
        async with Page(ann) as page:
            await page.follow(ann, watched)
            assert await page.hears_nothing()

    async def test_a_database_that_is_away_closes_no_socket(self, ann, watched, monkeypatch):
        def fail(*args, **kwargs):
            raise OperationalError("database is locked")

        async with Page(ann) as page:
            await page.follow(ann, watched)
            with monkeypatch.context() as away:
                away.setattr("liveops.follower.catch_up", fail)
                await push(watched, 5, recorded=3)
                assert (await page.hear())["seq"] == 5
            await in_database(add_lines)(watched, "four", seq=6)
            while (message := await page.hear())["type"] == "heartbeat":
                pass
            assert message["seq"] == 6
