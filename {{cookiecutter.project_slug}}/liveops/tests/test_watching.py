"""A socket shows every frame once and in order, whatever gets lost on the way."""

import pytest

from liveops.models import LiveOperation, State
from liveops.tests.make import add_lines
from liveops.tests.socket_client import Page, in_database, push, tell


async def test_a_page_that_is_up_to_date_gets_nothing_but_what_is_new(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        assert await page.hears_nothing()
        await push(watched, 4, parts={"status": "<p>new</p>"})
        assert await page.hear() == {
            "type": "frame",
            "attempt": 1,
            "seq": 4,
            "parts": {"status": "<p>new</p>"},
        }


async def test_a_page_that_was_away_gets_the_missed_lines(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched, after=(1, 1))
        frame = await page.hear()
        assert (frame["type"], frame["seq"]) == ("frame", 3)
        assert (frame["log"]["first"], frame["log"]["last"]) == (2, 3)


@pytest.mark.parametrize("after", [None, (0, 7), (1, 9), (7, 7)])
async def test_a_page_that_saw_something_else_gets_a_snapshot(ann, watched, after):
    async with Page(ann) as page:
        await page.follow(ann, watched, after)
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["attempt"], snapshot["seq"]) == ("snapshot", 1, 3)
        await push(watched, 4)
        assert (await page.hear())["seq"] == 4


async def test_a_catch_up_goes_to_one_socket_only(ann, watched):
    async with Page(ann) as one, Page(ann) as other:
        await one.follow(ann, watched)
        await other.follow(ann, watched, after=(1, 0))
        assert (await other.hear())["seq"] == 3
        assert await one.hears_nothing()


@pytest.mark.parametrize("seq", [1, 3])
async def test_a_frame_that_was_seen_is_dropped(ann, watched, seq):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await push(watched, seq, recorded=3)
        assert await page.hears_nothing()


async def test_a_frame_that_comes_twice_is_shown_once(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await push(watched, 4)
        await push(watched, 4)
        await push(watched, 5)
        assert [(await page.hear())["seq"], (await page.hear())["seq"]] == [4, 5]


async def test_a_gap_is_filled_from_the_record(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        for text in ("four", "five", "six"):
            await in_database(add_lines)(watched, text)
        await push(watched, 6)
        frame = await page.hear()
        assert (frame["seq"], frame["log"]["first"], frame["log"]["last"]) == (6, 4, 6)
        assert await page.hears_nothing()


async def test_a_gap_is_filled_before_a_frame_that_is_ahead_of_the_record(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await in_database(add_lines)(watched, "four")
        await in_database(add_lines)(watched, "five")
        await push(watched, 6, recorded=5)
        assert [(await page.hear())["seq"], (await page.hear())["seq"]] == [5, 6]


async def test_when_the_record_cannot_fill_a_gap_one_snapshot_follows(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await push(watched, 6, recorded=3)
        await push(watched, 7, recorded=3)
        assert [(await page.hear())["seq"], (await page.hear())["seq"]] == [6, 7]
        await in_database(add_lines)(watched, "four", "five", seq=8)
        await push(watched, 8)
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 8)
        assert snapshot["log"]["last"] == 5
        await push(watched, 9)
        assert (await page.hear())["type"] == "frame"


async def test_the_record_has_the_last_word_about_a_run_that_was_killed(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await push(watched, 9, recorded=3)
        assert (await page.hear())["seq"] == 9
        assert await in_database(watched.declare_lost)(why="killed")
        await tell(watched, type="liveop.changed")
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["seq"], snapshot["state"]) == ("snapshot", 4, "LOST")
        await tell(watched, type="liveop.changed")
        assert await page.hears_nothing()


async def test_a_heartbeat_brings_the_snapshot_too(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await push(watched, 6, recorded=3)
        assert (await page.hear())["seq"] == 6
        await in_database(add_lines)(watched, "four", seq=6)
        await beat(watched, 6)
        assert (await page.hear())["type"] == "snapshot"
        assert (await page.hear())["type"] == "heartbeat"


async def beat(watched, seq, recorded=None):
    recorded = seq if recorded is None else recorded
    message = {"attempt": watched.attempt, "seq": seq, "state": "RUNNING", "recorded": recorded}
    await tell(watched, type="liveop.heartbeat", **message)


async def test_a_heartbeat_tells_where_the_page_is(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await beat(watched, 3)
        heartbeat = {"type": "heartbeat", "attempt": 1, "seq": 3, "state": "RUNNING", "age": 0.0}
        assert await page.hear() == heartbeat


async def test_a_heartbeat_shows_that_the_last_frame_was_lost(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await in_database(add_lines)(watched, "four")
        await beat(watched, 4)
        assert (await page.hear())["seq"] == 4
        assert (await page.hear())["seq"] == 4


async def test_a_new_attempt_is_a_snapshot_and_the_old_one_is_over(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await LiveOperation.objects.aupdate(state=State.FAILED)
        assert await in_database(watched.restart)()
        await tell(watched, type="liveop.changed")
        snapshot = await page.hear()
        position = (snapshot["type"], snapshot["attempt"], snapshot["seq"], snapshot["state"])
        assert position == ("snapshot", 2, 0, "QUEUED")
        await push(watched, 9, attempt=1)
        assert await page.hears_nothing()
        await push(watched, 1, recorded=0)
        assert (await page.hear())["seq"] == 1


async def test_a_new_attempt_is_noticed_by_its_first_frame(ann, watched):
    async with Page(ann) as page:
        await page.follow(ann, watched)
        await LiveOperation.objects.aupdate(attempt=2, seq=1, log_lines=0)
        await push(watched, 1, attempt=2)
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["attempt"], snapshot["seq"]) == ("snapshot", 2, 1)
        assert await page.hears_nothing()
