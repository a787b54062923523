"""Every change of state happens once, and leaves a line in the audit trail."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from liveops.models import FINISHED, LiveOperation, OperationEvent, State
from liveops.tests.make import at_once, make_operation, make_user
from tests.kinds.models import Greeting, Patient

pytestmark = pytest.mark.django_db


def trail(operation: LiveOperation) -> list[tuple[object, ...]]:
    events = OperationEvent.objects.filter(operation=operation)
    return list(events.values_list("user", "attempt", "from_state", "to_state", "why"))


def test_submit_saves_kind_language_and_who_started_it():
    ann = make_user()
    operation = Greeting(owner=ann)
    operation.submit(by=ann)
    operation.refresh_from_db()
    assert (operation.kind, operation.state, operation.attempt) == ("kinds.greeting", "QUEUED", 1)
    assert operation.language == "en"
    assert trail(operation) == [(ann.pk, 1, "", "QUEUED", "started")]
    age = timezone.now() - OperationEvent.objects.get().at
    assert timedelta() <= age < timedelta(seconds=10)


def test_claim_gives_the_kind_and_names_the_worker():
    operation = make_operation(kind=Patient)
    claimed = LiveOperation.claim(str(operation.pk), 1, "host:7")
    assert isinstance(claimed, Patient)
    assert (claimed.state, claimed.worker) == ("RUNNING", "host:7")
    assert claimed.started_at
    assert claimed.heartbeat_at
    assert trail(operation)[1:] == [(None, 1, "QUEUED", "RUNNING", "claimed by host:7")]


@pytest.mark.parametrize("attempt", [0, 1, 3])
def test_claim_of_another_attempt_is_refused(attempt):
    operation = make_operation(attempt=2)
    assert LiveOperation.claim(operation.pk, attempt, "host:7") is None
    operation.refresh_from_db()
    assert operation.state == "QUEUED"


@pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED}))
def test_claim_of_what_is_not_queued_is_refused(state):
    assert LiveOperation.claim(make_operation(state=state).pk, 1, "host:7") is None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_succeeds():
    operation = make_operation()
    claims = at_once(12, lambda: LiveOperation.claim(operation.pk, 1, "host:7"))
    assert sum(claim is not None for claim in claims) == 1
    assert len(trail(operation)) == 2


@pytest.mark.django_db(transaction=True)
def test_of_50_retries_at_once_one_makes_a_new_attempt():
    operation = make_operation(kind=Patient, state=State.FAILED)
    answers = at_once(50, lambda: Patient.objects.get(pk=operation.pk).restart())
    # Whoever read the row after the first retry finds it queued, and so nothing to retry.
    assert answers.count(True) == 1
    operation.refresh_from_db()
    assert (operation.attempt, operation.state, operation.restarts) == (2, "QUEUED", 1)
    assert len(trail(operation)) == 2


def test_restart_begins_a_fresh_attempt():
    ann = make_user()
    operation = make_operation(
        ann,
        state=State.FAILED,
        seq=9,
        percent=50,
        error="no",
        traceback="Traceback",
        status_text="half way",
        stage_states={"one": {"state": "failed"}},
        regions={"#a": "b"},
        result_context={"a": 1},
        log_lines=7,
        worker="host:7",
        cancel_requested_at=timezone.now(),
        finished_at=timezone.now(),
    )
    assert operation.restart(by=ann)
    operation.refresh_from_db()
    assert (operation.attempt, operation.seq, operation.log_lines) == (2, 0, 0)
    assert (operation.error, operation.traceback, operation.status_text) == ("", "", "")
    assert (operation.stage_states, operation.regions) == ({}, {})
    empty = [operation.percent, operation.result_context, operation.cancel_requested_at]
    empty += [operation.started_at, operation.finished_at, operation.heartbeat_at]
    assert empty == [None] * 6
    assert trail(operation)[1:] == [(ann.pk, 2, "FAILED", "QUEUED", "retry")]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.SUCCEEDED])
def test_there_is_nothing_to_retry(state):
    operation = make_operation(state=state)
    assert not operation.restart()
    assert len(trail(operation)) == 1


@pytest.mark.django_db(transaction=True)
def test_what_on_restart_raises_takes_the_retry_back():
    operation = make_operation(kind=Patient, state=State.FAILED)

    def undo_and_fail(self):
        Patient._base_manager.filter(pk=self.pk).update(restarts=99)
        raise RuntimeError("the old output is locked")

    with (
        patch.object(Patient, "on_restart", undo_and_fail),
        pytest.raises(RuntimeError, match="the old output is locked"),
    ):
        operation.restart()
    operation.refresh_from_db()
    assert (operation.state, operation.attempt, operation.restarts) == ("FAILED", 1, 0)
    assert len(trail(operation)) == 1


def test_cancel_in_the_queue_ends_it_at_once():
    ann = make_user()
    operation = make_operation(ann, seq=4)
    assert operation.cancel(by=ann)
    operation.refresh_from_db()
    assert (operation.state, operation.seq) == ("CANCELLED", 5)
    assert operation.finished_at
    assert trail(operation)[1:] == [
        (ann.pk, 1, "QUEUED", "CANCELLED", "cancelled in the queue"),
    ]


def test_cancel_asks_a_run_to_end():
    ann = make_user()
    operation = make_operation(ann, state=State.RUNNING)
    assert operation.can_cancel
    assert operation.cancel(by=ann)
    assert operation.cancel_requested_at
    assert not operation.can_cancel
    assert trail(operation)[1:] == [(ann.pk, 1, "RUNNING", "RUNNING", "cancel requested")]


def test_a_second_cancel_keeps_the_time_of_the_first():
    asked_at = timezone.now() - timedelta(minutes=5)
    operation = make_operation(state=State.RUNNING, cancel_requested_at=asked_at)
    assert operation.cancel()
    operation.refresh_from_db()
    assert operation.cancel_requested_at == asked_at


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_what_has_ended_cannot_be_cancelled(state):
    operation = make_operation(state=state)
    assert not operation.cancel()
    assert len(trail(operation)) == 1


def test_finish_ends_a_run_once():
    operation = make_operation(state=State.RUNNING)
    assert operation.finish(State.SUCCEEDED, why="done", percent=100)
    assert not operation.finish(State.FAILED)
    operation.refresh_from_db()
    assert (operation.state, operation.percent) == ("SUCCEEDED", 100)
    assert trail(operation)[1:] == [(None, 1, "RUNNING", "SUCCEEDED", "done")]


def test_a_stale_attempt_cannot_finish():
    stale = make_operation(state=State.RUNNING)
    LiveOperation.objects.filter(pk=stale.pk).update(attempt=2)
    assert not stale.finish(State.SUCCEEDED)


def test_lost_without_a_heartbeat_moves_seq_on():
    silent_since = timezone.now() - timedelta(seconds=30)
    operation = make_operation(state=State.RUNNING, seq=4, heartbeat_at=silent_since)
    assert operation.declare_lost(why="silent", silent_since=silent_since)
    operation.refresh_from_db()
    assert (operation.state, operation.seq) == ("LOST", 5)
    assert operation.can_retry
    assert trail(operation)[1][2:] == ("RUNNING", "LOST", "silent")


def test_a_newer_heartbeat_spares_a_run():
    silent_since = timezone.now() - timedelta(seconds=30)
    read_before = make_operation(state=State.RUNNING, heartbeat_at=silent_since)
    LiveOperation.objects.filter(pk=read_before.pk).update(heartbeat_at=timezone.now())
    assert not read_before.declare_lost(why="silent", silent_since=silent_since)
    read_before.refresh_from_db()
    assert read_before.state == "RUNNING"
