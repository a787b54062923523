"""Redis restarts, forgets and goes away: it only ever carries hints."""

import os
import time
from collections.abc import Callable

import pytest

from liveops.models import State
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import (
    claims,
    count_effects,
    count_shown_lines,
    count_stored_lines,
    count_stuck,
    operation,
    wait_for_line,
    wait_for_state,
)
from tests.faults.stack import FaultStack, SentinelStack
from tests.faults.swarm import Swarm

PAGES = int(os.environ.get("FAULTS_PAGES", "20"))
AWAY_SECONDS = float(os.environ.get("FAULTS_REDIS_AWAY", "10"))
RIGHT_WITHIN = 10.0
LIVE_DELAY = 1.0

NewSwarm = Callable[[list[SiteClient], str, int], Swarm]
NewMember = Callable[[], SiteClient]


def watched_run(
    member: SiteClient, swarm: NewSwarm, *, lines: int, pause: float
) -> tuple[str, Swarm]:
    """An operation and pages of it that are all connected."""
    operation_id = member.start("kinds.chatter", lines=lines, burst=1, pause=pause)
    wait_for_state(operation_id, State.RUNNING)
    pages = swarm([member], operation_id, PAGES)
    pages.wait_until_connected()
    return operation_id, pages


def time_until_right(figures: Figures, swarm: Swarm, operation_id: str) -> None:
    """How long until every page shows what the record holds, with less than a second's delay."""
    end = time.monotonic() + RIGHT_WITHIN
    with figures.time_until_right():
        delay = LIVE_DELAY
        while delay >= LIVE_DELAY:
            now, began = operation(operation_id), time.monotonic()
            swarm.wait_for(
                lambda page: (page.view.attempt, page.view.seq) >= (now.attempt, now.seq),  # noqa: B023
                "every page shows the record",
                within=end - began,
            )
            delay = time.monotonic() - began


def expect_complete(
    figures: Figures, swarm: Swarm, operation_id: str, lines: int, within: float = 60
) -> None:
    swarm.wait_for(lambda page: page.view.state == State.SUCCEEDED, "every page ends", within)
    count_stored_lines(figures, operation_id, lines)
    for page in swarm.pages:
        count_shown_lines(figures, page.view, lines)
    assert claims(operation_id) == 1


@pytest.mark.fault(4)
@pytest.mark.parametrize("running_stack", ["postgres", "sqlite"], indirect=True)
def test_redis_restarts_in_the_middle_of_a_run(
    stack: FaultStack, new_member: NewMember, swarm: NewSwarm, figures: Figures
) -> None:
    member = new_member()
    operation_id, pages = watched_run(member, swarm, lines=1_200, pause=0.02)
    wait_for_line(operation_id, 600)
    stack.restart_redis()
    time_until_right(figures, pages, operation_id)
    expect_complete(figures, pages, operation_id, 1_200)


@pytest.mark.fault(4)
@pytest.mark.parametrize("running_stack", ["sentinels"], indirect=True)
def test_the_master_is_killed_and_sentinels_promote_its_replica(
    stack: SentinelStack, new_member: NewMember, swarm: NewSwarm, figures: Figures
) -> None:
    member = new_member()
    operation_id, pages = watched_run(member, swarm, lines=1_200, pause=0.02)
    wait_for_line(operation_id, 400)
    killed = stack.servers.kill_master()
    meanwhile = [member.start("kinds.deeds", steps=5, pause=0.01) for _ in range(2)]
    promoted = stack.servers.wait_for_another_master(killed)
    time_until_right(figures, pages, operation_id)
    opened_since = swarm([member], operation_id, 2)
    opened_since.wait_until_connected()
    after = member.start("kinds.deeds", steps=5, pause=0.01)
    count_stuck(figures, [operation_id, *meanwhile, after])
    expect_complete(figures, pages, operation_id, 1_200)
    opened_since.wait_for(lambda page: page.view.state == State.SUCCEEDED, "new pages end, too")
    for page in opened_since.pages:
        assert (page.view.last_line, page.view.problems) == (1_200, [])
    for each in [*meanwhile, after]:
        assert wait_for_state(each, State.SUCCEEDED).attempt == 1
        count_effects(figures, each, steps=5)
        assert claims(each) == 1
    figures.note(f"a new master after {promoted:.1f} s")


@pytest.mark.fault(5)
def test_redis_forgets_everything_with_operations_queued_and_running(
    stack: FaultStack, new_member: NewMember, swarm: NewSwarm, figures: Figures
) -> None:
    member = new_member()
    running = [member.start("kinds.chatter", lines=600, burst=1, pause=0.03) for _ in range(2)]
    for operation_id in running:
        wait_for_state(operation_id, State.RUNNING)
    pages = swarm([member], running[0], PAGES)
    pages.wait_until_connected()
    queued = [member.start("kinds.deeds", steps=5, pause=0.01) for _ in range(4)]
    stack.flush_redis()
    time_until_right(figures, pages, running[0])
    count_stuck(figures, [*running, *queued])
    expect_complete(figures, pages, running[0], 600)
    count_stored_lines(figures, running[1], 600)
    for operation_id in queued:
        assert wait_for_state(operation_id, State.SUCCEEDED).attempt == 1
        count_effects(figures, operation_id, steps=5)
        assert claims(operation_id) == 1


@pytest.mark.fault(6)
def test_redis_is_away_while_operations_run_and_are_started(
    stack: FaultStack, new_member: NewMember, swarm: NewSwarm, figures: Figures
) -> None:
    member = new_member()
    lines = int(1_000 + 50 * AWAY_SECONDS)
    operation_id, pages = watched_run(member, swarm, lines=lines, pause=0.02)
    wait_for_line(operation_id, 200)
    stack.stop_redis()
    began = time.monotonic()
    started = [member.start("kinds.deeds", steps=5, pause=0.01) for _ in range(3)]
    clicks = time.monotonic() - began
    assert all(operation(each).state == State.QUEUED for each in started)
    page = member.http.get(f"/operations/{started[0]}/")
    assert page.status_code == 200
    time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - began)))
    assert operation(operation_id).state == State.RUNNING
    stack.start_redis()
    time_until_right(figures, pages, operation_id)
    count_stuck(figures, [operation_id, *started])
    expect_complete(figures, pages, operation_id, lines)
    for each in started:
        assert wait_for_state(each, State.SUCCEEDED).attempt == 1
        count_effects(figures, each, steps=5)
    figures.note(f"a start meanwhile took {clicks / len(started):.1f} s")
