"""Many watch one long log, some of them with a bad network."""

import os

from liveops.models import LiveOperation, LogChunk, State
from liveops.record import Log
from tests.client import SiteClient
from tests.kinds.models import Burst
from tests.live_view import LiveView
from tests.processes import wait_until
from tests.services import Stack
from tests.watcher import Watcher

LINES = int(os.environ.get("WATCHED_LINES", "100000"))
TAIL = 200


def expect_right_end(view: LiveView, lines: int) -> None:
    assert view.problems == []
    assert view.state == State.SUCCEEDED
    numbers = [line.number for line in view.lines]
    assert numbers == list(range(lines - len(numbers) + 1, lines + 1))
    assert len(numbers) >= min(TAIL, lines)
    assert view.texts == [f"line {number}" for number in numbers]


def expect_complete_record(operation_id: str, lines: int) -> None:
    operation = LiveOperation.objects.get(pk=operation_id)
    texts = [line.text for line in Log(operation, operation.attempt)]
    assert texts == [f"line {number}" for number in range(1, lines + 1)]
    assert operation.log_lines == lines


def test_every_watcher_of_a_long_run_ends_right_though_some_come_and_go(
    stack: Stack, member: SiteClient
) -> None:
    # Some ten seconds, so that there is time to lose the connection more than once.
    operation_id = member.start("kinds.chatter", lines=LINES, burst=LINES // 500, pause=0.02)
    watchers = [Watcher(member, operation_id) for _ in range(5)]
    for watcher in watchers:
        watcher.connect()
    for turn in range(4):
        for watcher in watchers[:2]:
            seen = watcher.view.last_line
            watcher.disconnect()
            pause = LINES // (30 + 5 * turn)
            wait_until(
                lambda: watchers[-1].view.last_line >= min(LINES, seen + pause),  # noqa: B023
                "the others go on",
            )
            watcher.reconnect()
    for watcher in watchers:
        watcher.wait_until_finished()
        watcher.disconnect()
    for watcher in watchers:
        expect_right_end(watcher.view, LINES)
    expect_complete_record(operation_id, LINES)
    download = member.http.get(f"/operations/{operation_id}/log.txt").text.splitlines()
    assert [line.split(" ", 2)[2] for line in download] == [
        f"line {n}" for n in range(1, LINES + 1)
    ]
    print(f"{LINES:,} lines, 5 watchers, 8 interruptions: 0 lost, 0 twice", end=" ")


def test_what_was_missed_is_filled_in_line_by_line(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.chatter", lines=900, burst=1, pause=0.005)
    watcher = Watcher(member, operation_id)
    watcher.connect()
    for seen in (100, 500):
        watcher.wait_for(lambda view: view.last_line > seen)  # noqa: B023
        watcher.disconnect()
        missed = LiveOperation.objects.get(pk=operation_id).log_lines + 150
        wait_until(
            lambda: LiveOperation.objects.get(pk=operation_id).log_lines > missed,  # noqa: B023
            "lines are missed",
        )
        watcher.reconnect()
    view = watcher.wait_until_finished()
    watcher.disconnect()
    assert view.problems == []
    assert view.texts == [f"line {number}" for number in range(1, 901)]


def test_somebody_who_comes_late_gets_the_whole_picture(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.chatter", lines=3000, burst=10, pause=0.01)
    first = Watcher(member, operation_id)
    first.connect()
    first.wait_for(lambda view: view.last_line > 1000)
    late = Watcher(member, operation_id)
    late.connect()
    for watcher in (first, late):
        watcher.wait_until_finished()
        watcher.disconnect()
    expect_right_end(late.view, 3000)
    assert {"stages", "status", "progress", "result"} <= set(late.view.parts)
    assert late.view.parts["result"] == first.view.parts["result"]


def test_a_burst_is_stored_in_chunks_of_bounded_size(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.burst")
    wait_until(lambda: LiveOperation.objects.get(pk=operation_id).is_finished, "the burst is over")
    expect_complete_record(operation_id, Burst.LINES)
    chunks = LogChunk.objects.filter(operation__pk=operation_id)
    assert max(chunk.line_count for chunk in chunks) <= LogChunk.MAX_LINES
    assert chunks.count() < 200
    result = LiveOperation.objects.get(pk=operation_id).result_context or {}
    print(f"{result['microseconds_per_call']:.2f} µs per p.log() in a burst", end=" ")
