"""Messages and clicks that come more than once, or too early."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery import Celery

from liveops.models import LiveOperation, State
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import (
    claims,
    count_effects,
    count_stored_lines,
    count_stuck,
    operation,
    wait_for_state,
)
from tests.faults.stack import FaultStack
from tests.kinds.models import Effect, Patient

CLICKS = 50
COPIES = 10
on_both_databases = pytest.mark.parametrize("running_stack", ["postgres", "sqlite"], indirect=True)


def deliver(stack: FaultStack, operation_id: str, attempt: int = 1) -> None:
    """Puts one more message for the attempt on the queue."""
    with Celery(broker=stack.redis_url) as celery:
        celery.send_task("liveops.run_operation", args=[operation_id, attempt], retry=False)


@pytest.fixture
def occupied(stack: FaultStack, member: SiteClient) -> list[str]:
    """Operations that keep both children of the worker busy until `release`."""
    busy = [member.start("kinds.patient") for _ in range(2)]
    for operation_id in busy:
        wait_for_state(operation_id, State.RUNNING)
    return busy


def release(occupied: list[str]) -> None:
    Patient.objects.filter(pk__in=occupied).update(may_end=True)


@pytest.mark.fault(9)
@on_both_databases
def test_a_message_is_delivered_many_times_at_once_and_again_after_the_end(
    stack: FaultStack, member: SiteClient, occupied: list[str], figures: Figures
) -> None:
    operation_id = member.start("kinds.deeds", steps=20, pause=0.02)
    for _ in range(COPIES):
        deliver(stack, operation_id)
    release(occupied)
    with figures.time_until_right():
        wait_for_state(operation_id, State.SUCCEEDED)
    for _ in range(COPIES):
        deliver(stack, operation_id)
    # Behind the copies in the queue: when these have run, the copies have come to nothing.
    behind = [member.start("kinds.greeting") for _ in range(2)]
    count_stuck(figures, [operation_id, *behind])
    figures.twice += claims(operation_id) - 1
    count_effects(figures, operation_id, steps=20)
    count_stored_lines(figures, operation_id, 20)
    figures.note(f"{1 + 2 * COPIES} messages, {claims(operation_id)} run")


@pytest.mark.fault(22)
@on_both_databases
def test_many_clicks_on_retry_make_one_new_attempt(
    stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    operation_id = member.start("kinds.patient")
    wait_for_state(operation_id, State.RUNNING)
    member.cancel(operation_id)
    wait_for_state(operation_id, State.CANCELLED)
    with figures.time_until_right(), ThreadPoolExecutor(10) as clicks:
        answers = list(clicks.map(lambda _: member.restart(operation_id), range(CLICKS)))
    assert {answer.status_code for answer in answers} == {200}
    wait_for_state(operation_id, State.RUNNING)
    release([operation_id])
    row = wait_for_state(operation_id, State.SUCCEEDED)
    figures.twice += row.attempt - 2
    figures.twice += claims(operation_id) - 2
    assert row.events.filter(why="retry").count() == 1


@pytest.mark.fault(22)
@on_both_databases
def test_a_start_form_that_is_sent_many_times_makes_one_operation(
    stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    form = member.http.get("/start/kinds.deeds/").text
    key = re.search(r'name="form_key" value="([0-9a-f-]+)"', form)
    assert key
    fields: dict[str, Any] = {"form_key": key[1], "steps": 5, "pause": 0.01}
    with ThreadPoolExecutor(10) as clicks:
        started = set(clicks.map(lambda _: member.start("kinds.deeds", **fields), range(CLICKS)))
    operation_id = started.pop()
    figures.twice += len(started)
    owner = wait_for_state(operation_id, State.SUCCEEDED).owner
    figures.twice += LiveOperation.objects.filter(owner=owner).count() - 1
    count_effects(figures, operation_id, steps=5)


@pytest.mark.fault(23)
@on_both_databases
def test_an_operation_that_is_cancelled_in_the_queue_never_runs(
    stack: FaultStack,
    new_member: Callable[[], SiteClient],
    occupied: list[str],
    figures: Figures,
) -> None:
    member = new_member()
    queued = [member.start("kinds.deeds", steps=5, pause=0.01) for _ in range(3)]
    with figures.time_until_right():
        for operation_id in queued:
            member.cancel(operation_id)
            assert operation(operation_id).state == State.CANCELLED
    page = member.live_page(queued[0])
    assert page.state == State.CANCELLED
    release(occupied)
    behind = [member.start("kinds.greeting") for _ in range(2)]
    count_stuck(figures, [*occupied, *behind])
    for operation_id in queued:
        row = operation(operation_id)
        assert (row.state, row.started_at) == (State.CANCELLED, None)
    figures.twice += Effect.objects.filter(operation_id__in=queued).count()
