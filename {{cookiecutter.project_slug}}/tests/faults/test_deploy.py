"""A deploy: the worker is asked to end during runs."""

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
    operation,
    wait_for_attempt,
    wait_for_line,
    wait_for_state,
)
from tests.faults.stack import DRAIN_SECONDS, FaultStack
from tests.faults.swarm import Swarm

# The drain, and what it takes to end the processes after it.
ENDS_WITHIN = DRAIN_SECONDS + 15
PAGES = 3

NewSwarm = Callable[[list[SiteClient], str, int], Swarm]


@pytest.mark.fault(3)
def test_a_run_that_is_nearly_done_is_finished(
    stack: FaultStack, member: SiteClient, swarm: NewSwarm, figures: Figures
) -> None:
    operation_id = member.start("kinds.chatter", lines=200, burst=1, pause=0.02)
    wait_for_line(operation_id, 100)
    pages = swarm([member], operation_id, PAGES)
    pages.wait_until_connected()
    took = stack.shut_worker_down(within=ENDS_WITHIN)
    with figures.time_until_right():
        stack.start_worker()
    pages.wait_for(lambda page: page.view.state == State.SUCCEEDED, "every page ends")
    assert claims(operation_id) == 1
    count_stored_lines(figures, operation_id, 200)
    for page in pages.pages:
        count_shown_lines(figures, page.view, 200)
    figures.note(f"the worker ended after {took:.1f} s")


@pytest.mark.fault(3)
@pytest.mark.parametrize("running_stack", ["postgres", "sqlite"], indirect=True)
def test_a_long_run_is_handed_back_and_goes_on_elsewhere(
    stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    steps = 200
    operation_id = member.start("kinds.ledger", steps=steps, pause=0.05)
    wait_for_line(operation_id, 20)
    took = stack.shut_worker_down(within=ENDS_WITHIN)
    row = operation(operation_id)
    assert (row.state, row.attempt) == (State.QUEUED, 2)
    with figures.time_until_right():
        stack.start_worker()
        wait_for_attempt(operation_id, 2)
    wait_for_state(operation_id, State.SUCCEEDED)
    assert claims(operation_id) == 2
    count_effects(figures, operation_id, steps)
    lines = count_stored_lines(figures, operation_id, attempt=1)
    lines += count_stored_lines(figures, operation_id, attempt=2)
    # Where it was interrupted, a step may have been done and not yet been reported.
    figures.lost += max(0, steps - 1 - lines)
    figures.note(f"the worker ended after {took:.1f} s")


@pytest.mark.fault(3)
def test_a_long_run_that_cannot_go_on_is_offered_for_a_retry(
    stack: FaultStack, member: SiteClient, swarm: NewSwarm, figures: Figures
) -> None:
    operation_id = member.start("kinds.chatter", lines=1_000, burst=1, pause=0.05)
    wait_for_line(operation_id, 20)
    pages = swarm([member], operation_id, PAGES)
    pages.wait_until_connected()
    stack.shut_worker_down(within=ENDS_WITHIN)
    with figures.time_until_right():
        pages.wait_for(lambda page: page.view.state == State.LOST, "every page says so")
    stored = count_stored_lines(figures, operation_id)
    for page in pages.pages:
        count_shown_lines(figures, page.view, stored)
    stack.start_worker()
    member.restart(operation_id)
    assert wait_for_state(operation_id, State.RUNNING).attempt == 2
    member.cancel(operation_id)
    wait_for_state(operation_id, State.CANCELLED)
