"""What the reporter's thread writes, in how many queries, and what it does when it cannot."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from liveops.exceptions import LeaseLost
from liveops.models import LiveOperation, LogChunk, OperationEvent, State
from liveops.models.log import LogLine
from liveops.record import Log
from liveops.recorder import Frame, Recorder
from liveops.tests.make import locked_database, make_operation, make_user
from tests.kinds.models import Greeting, Patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operation():
    return make_operation(state=State.RUNNING)


@pytest.fixture
def recorder(operation):
    return Recorder(operation)


def frame(seq, first_line=1, texts=(), size=0, **changes):
    lines = [LogLine(1, "info", text) for text in texts]
    return Frame(seq=seq, changes=changes, first_line=first_line, lines=lines, size=size)


def texts(operation):
    return [line.text for line in Log(operation, operation.attempt)]


def test_a_flush_is_one_transaction_of_two_statements(operation, recorder):
    recorder.record(250)
    recorder.keep(frame(1, texts=["one", "two"], size=9, percent=50, status_text="half"))
    with CaptureQueriesContext(connection) as queries:
        assert recorder.record(250) == 9
    words = [query["sql"].split()[0] for query in queries]
    assert words == ["BEGIN", "UPDATE", "INSERT", "COMMIT"]
    operation.refresh_from_db()
    assert (operation.seq, operation.log_lines) == (1, 2)
    assert (operation.percent, operation.status_text) == (50, "half")
    assert texts(operation) == ["one", "two"]
    assert (recorder.recorded_seq, recorder.behind) == (1, False)


def test_a_long_flush_is_one_transaction_with_a_row_in_each_insert(operation, recorder):
    recorder.record(250)
    numbered = [f'"{number}"' for number in range(2 * LogChunk.MAX_LINES + 1)]
    recorder.keep(frame(1, texts=numbered))
    with CaptureQueriesContext(connection) as queries:
        recorder.record(250)
    words = [query["sql"].split()[0] for query in queries]
    assert words == ["BEGIN", "UPDATE", "INSERT", "INSERT", "INSERT", "COMMIT"]
    # The arrays of a common INSERT are what makes it dear.
    assert not [query for query in queries if "UNNEST" in query["sql"].upper()]
    assert texts(operation) == numbered


def test_a_flush_without_lines_is_one_statement(recorder):
    recorder.record(250)
    recorder.keep(frame(1, percent=50))
    with CaptureQueriesContext(connection) as queries:
        recorder.record(250)
    assert [query["sql"].split()[0] for query in queries] == ["UPDATE"]


def test_nothing_to_write_renews_the_heartbeat(operation, recorder):
    before = timezone.now()
    LiveOperation.objects.update(heartbeat_at=None)
    assert recorder.record(250) == 0
    operation.refresh_from_db()
    assert operation.heartbeat_at >= before.replace(microsecond=before.microsecond // 1000 * 1000)
    assert operation.seq == 0


@pytest.mark.parametrize(
    "taken_away", [{"attempt": 2}, {"state": State.LOST}, {"state": State.QUEUED}]
)
def test_a_row_that_is_not_this_run_s_any_more_is_left_alone(operation, recorder, taken_away):
    LiveOperation.objects.update(**taken_away)
    recorder.keep(frame(1, texts=["one"], percent=50))
    with pytest.raises(LeaseLost):
        recorder.record(250)
    operation.refresh_from_db()
    assert (operation.percent, operation.seq) == (None, 0)
    assert not LogChunk.objects.exists()


def test_a_deleted_row_is_lost(recorder):
    LiveOperation.objects.all().delete()
    recorder.keep(frame(1, texts=["one"]))
    with pytest.raises(LeaseLost):
        recorder.record(250)


def test_a_cancel_request_is_seen_by_the_write_itself(operation, recorder):
    assert recorder.record(250) == 0
    assert not recorder.cancel_requested
    operation.cancel()
    recorder.keep(frame(1, percent=50))
    recorder.record(250)
    assert recorder.cancel_requested
    operation.refresh_from_db()
    assert operation.percent == 50
    with CaptureQueriesContext(connection) as queries:
        recorder.record(250)
    assert len(queries) == 1


def test_while_the_database_is_locked_frames_are_kept_and_later_written_in_order(
    operation, recorder
):
    with locked_database():
        recorder.keep(frame(1, 1, ["one", "two"], size=5, percent=10))
        assert recorder.record(50) is None
        recorder.keep(frame(2, 3, ["three"], size=6, percent=20))
        assert recorder.record(50) is None
        assert recorder.behind
        assert recorder.recorded_seq == 0
    assert not LogChunk.objects.exists()
    recorder.keep(frame(3, 4, ["four"], size=7, status_text="on"))
    assert recorder.record(50) == 18
    operation.refresh_from_db()
    assert (operation.seq, operation.log_lines, operation.percent) == (3, 4, 20)
    assert texts(operation) == ["one", "two", "three", "four"]
    assert list(LogChunk.objects.order_by("seq").values_list("seq", "first_line")) == [
        (1, 1),
        (2, 3),
        (3, 4),
    ]


def finish(recorder, state=State.SUCCEEDED, **keys):
    keys = {"patience_ms": 50, "why": "done", "changes": {"seq": 1, "log_lines": 1}, **keys}
    return recorder.finish(state, **keys)


def test_the_end_writes_what_is_kept_and_the_state_together(operation, recorder):
    recorder.keep(frame(1, texts=["one"], result_context={"a": 1}))
    assert finish(recorder)
    operation.refresh_from_db()
    assert (operation.state, operation.result_context) == ("SUCCEEDED", {"a": 1})
    assert texts(operation) == ["one"]
    assert OperationEvent.objects.filter(to_state="SUCCEEDED", why="done").count() == 1


def test_the_end_waits_while_the_database_is_locked(operation, recorder):
    following = Patient(owner=operation.owner)
    recorder.keep(frame(1, texts=["one"]))
    with locked_database():
        assert not finish(recorder, next_operation=following)
    assert recorder.behind
    assert finish(recorder, next_operation=following)
    assert texts(operation) == ["one"]
    assert LiveOperation.objects.count() == 2


def test_the_end_of_another_attempt_s_row_writes_nothing(operation, recorder):
    LiveOperation.objects.update(attempt=2)
    recorder.keep(frame(1, texts=["one"]))
    with pytest.raises(LeaseLost):
        finish(recorder, next_operation=Greeting(owner=operation.owner))
    assert not LogChunk.objects.exists()
    assert LiveOperation.objects.count() == 1


def test_the_end_starts_the_next_operation_and_says_where_it_came_from(operation, recorder):
    assert finish(recorder, next_operation=Greeting(owner=operation.owner))
    operation.refresh_from_db()
    following = operation.next_operation
    assert (following.state, following.owner) == ("QUEUED", operation.owner)
    event = OperationEvent.objects.get(operation=following)
    assert (event.user, event.why) == (operation.owner, f"chained from {operation.pk}")


def test_the_end_brings_the_audit_row_of_a_cancel_that_came_as_a_hint(operation, recorder):
    bob = make_user("bob")
    assert finish(recorder, State.CANCELLED, cancelled_by=str(bob.pk))
    operation.refresh_from_db()
    assert operation.cancel_requested_at
    events = OperationEvent.objects.filter(operation=operation).values_list("user", "why")
    assert list(events)[1:] == [
        (bob.pk, "cancel requested while the row was locked"),
        (None, "done"),
    ]


@pytest.fixture
def answer_lost(monkeypatch):
    """The first transaction is committed, but the connection is lost before its answer comes."""
    lost: list[object] = []

    @contextmanager
    def atomic():
        with transaction.atomic():
            yield
        if not lost:
            lost.append(True)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("liveops.locks.transaction", SimpleNamespace(atomic=atomic))


def test_lines_that_were_stored_although_no_answer_came_are_stored_once(
    operation, recorder, answer_lost
):
    recorder.keep(frame(1, texts=["one", "two"], size=9))
    assert recorder.record(250) is None
    recorder.keep(frame(2, first_line=3, texts=["three"], size=5))
    assert recorder.record(250) == 14
    assert texts(operation) == ["one", "two", "three"]


def test_an_end_that_was_recorded_although_no_answer_came_is_recorded_once(
    operation, recorder, answer_lost
):
    following = Greeting(owner=operation.owner)
    recorder.keep(frame(1, texts=["one"]))
    end = {"patience_ms": 250, "why": "", "changes": {"seq": 1, "log_lines": 1, "error": ""}}
    assert not recorder.finish(State.SUCCEEDED, next_operation=following, **end)
    assert recorder.finish(State.SUCCEEDED, next_operation=following, **end)
    operation.refresh_from_db()
    assert (operation.state, operation.next_operation_id) == (State.SUCCEEDED, following.pk)
    assert texts(operation) == ["one"]
    assert operation.events.filter(to_state=State.SUCCEEDED).count() == 1
    assert LiveOperation.objects.count() == 2
