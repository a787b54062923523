"""Worker processes die in the middle of runs."""

import time
from collections.abc import Callable

import pytest

from liveops.models import State
from liveops.record import Log
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import (
    claims,
    count_effects,
    count_stored_lines,
    operation,
    wait_for_attempt,
    wait_for_line,
    wait_for_state,
)
from tests.faults.stack import SHORT_TIMES, SWEEP_EVERY, FaultStack
from tests.faults.swarm import Swarm

PAGES = 5
# What a killed run may have reported that is not in the record: its last window, generously.
LAST_WINDOW_SECONDS = 0.5
LOST_WITHIN = SHORT_TIMES["LOST_AFTER"] + SWEEP_EVERY

NewSwarm = Callable[[list[SiteClient], str, int], Swarm]
on_both_databases = pytest.mark.parametrize("running_stack", ["postgres", "sqlite"], indirect=True)


def long_run(member: SiteClient) -> str:
    operation_id = member.start("kinds.chatter", lines=20_000, burst=1, pause=0.01)
    wait_for_line(operation_id, 100)
    return operation_id


def expect_log_up_to(figures: Figures, operation_id: str, killed_at: float) -> None:
    """The log is whole up to the last window before the kill; it logged every 10 ms."""
    row = operation(operation_id)
    count_stored_lines(figures, operation_id, attempt=1)
    last = list(Log(row, 1))[-1]
    missing = killed_at - last.line.at_ms / 1000
    figures.note(f"the stored log ends {missing * 1000:.0f} ms before the kill")
    assert missing < LAST_WINDOW_SECONDS


def retry(member: SiteClient, operation_id: str) -> None:
    """The page offers it, and it works."""
    assert member.live_page(operation_id).state == State.LOST
    member.restart(operation_id)
    assert wait_for_state(operation_id, State.RUNNING).attempt == 2
    member.cancel(operation_id)
    wait_for_state(operation_id, State.CANCELLED)


@pytest.mark.fault(1)
@on_both_databases
def test_a_worker_child_is_killed_in_the_middle_of_a_run(
    stack: FaultStack, member: SiteClient, swarm: NewSwarm, figures: Figures
) -> None:
    operation_id = long_run(member)
    pages = swarm([member], operation_id, PAGES)
    pages.wait_until_connected()
    with figures.time_until_right():
        killed_at = stack.kill_child_of(operation_id)
        pages.wait_for(
            lambda page: page.view.state == State.LOST, "every page says so", within=LOST_WITHIN
        )
    expect_log_up_to(figures, operation_id, killed_at)
    for page in pages.pages:
        assert page.view.problems == []
    retry(member, operation_id)


@pytest.mark.fault(1)
@on_both_databases
def test_a_run_that_wants_it_goes_on_in_another_child(
    stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    steps = 60
    operation_id = member.start("kinds.ledger", steps=steps, pause=0.05)
    wait_for_line(operation_id, 36)
    with figures.time_until_right():
        stack.kill_child_of(operation_id)
        wait_for_attempt(operation_id, 2)
    row = wait_for_state(operation_id, State.SUCCEEDED)
    assert (row.attempt, claims(operation_id)) == (2, 2)
    count_effects(figures, operation_id, steps)
    count_stored_lines(figures, operation_id, attempt=1)
    count_stored_lines(figures, operation_id, attempt=2)


@pytest.mark.fault(1)
def test_a_run_that_kills_each_worker_is_started_only_so_often(
    stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    operation_id = member.start("kinds.ledger", steps=1_000, pause=0.05)
    for attempt in (1, 2, 3):
        wait_for_attempt(operation_id, attempt)
        wait_for_line(operation_id, 1)
        stack.kill_child_of(operation_id)
    row = wait_for_state(operation_id, State.LOST)
    time.sleep(2)
    assert operation(operation_id).attempt == row.attempt == 3
    figures.twice += claims(operation_id) - 3


@pytest.mark.fault(2)
@on_both_databases
def test_the_whole_worker_is_killed(
    stack: FaultStack, member: SiteClient, swarm: NewSwarm, figures: Figures
) -> None:
    steps = 60
    operation_id = long_run(member)
    pages = swarm([member], operation_id, PAGES)
    pages.wait_until_connected()
    resumed = member.start("kinds.ledger", steps=steps, pause=0.05)
    wait_for_line(resumed, 36)
    with figures.time_until_right():
        killed_at = time.time()
        stack.kill_worker()
        stack.start_worker()
        pages.wait_for(
            lambda page: page.view.state == State.LOST, "every page says so", within=LOST_WITHIN
        )
    expect_log_up_to(figures, operation_id, killed_at)
    row = wait_for_state(resumed, State.SUCCEEDED)
    assert row.attempt == 2
    count_effects(figures, resumed, steps)
    count_stored_lines(figures, resumed, attempt=1)
    count_stored_lines(figures, resumed, attempt=2)
    retry(member, operation_id)
