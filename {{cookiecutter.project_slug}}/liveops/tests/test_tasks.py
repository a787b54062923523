"""Messages may get lost or come twice, workers may vanish: every attempt runs once."""

from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from liveops import hints
from liveops.models import LiveOperation, OperationEvent, State
from liveops.tasks import cancel, restart, run_operation, submit, sweep
from liveops.tests.make import at_once, make_operation, make_user
from tests.kinds.models import Failing, Greeting, Heavy, Patient, Showcase

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("layer")]

LONG_AGO = timezone.now() - timedelta(hours=1)


def reload(operation):
    return type(operation)._base_manager.get(pk=operation.pk)


class TestRunOperation:
    def test_runs_the_attempt(self):
        operation = make_operation()
        run_operation(str(operation.pk), 1)
        operation = reload(operation)
        assert (operation.state, operation.result_context) == ("SUCCEEDED", {"greeting": "Hello"})
        assert operation.worker

    def test_a_message_that_comes_again_is_ignored(self, monkeypatch):
        runs = []
        monkeypatch.setattr(Greeting, "run", lambda operation, p: runs.append(operation.pk))
        operation = make_operation()
        for _ in range(2):
            run_operation(str(operation.pk), 1)
        assert runs == [operation.pk]

    def test_a_message_that_comes_twice_at_once_is_one_run(self, monkeypatch):
        runs = []
        monkeypatch.setattr(Greeting, "run", lambda operation, p: runs.append(operation.pk))
        operation = make_operation()
        at_once(4, lambda: run_operation(str(operation.pk), 1))
        assert runs == [operation.pk]
        assert reload(operation).state == "SUCCEEDED"

    def test_a_message_of_an_earlier_attempt_is_ignored(self):
        operation = make_operation(attempt=2)
        run_operation(str(operation.pk), 1)
        assert reload(operation).state == "QUEUED"

    def test_a_message_for_a_deleted_operation_is_ignored(self):
        operation = make_operation()
        LiveOperation.objects.all().delete()
        run_operation(str(operation.pk), 1)
        assert not LiveOperation.objects.exists()

    def test_what_was_cancelled_in_the_queue_never_runs(self):
        operation = make_operation(kind=Failing, own={"how": "raise"})
        operation.cancel()
        run_operation(str(operation.pk), 1)
        assert reload(operation).state == "CANCELLED"

    def test_the_chained_operation_is_sent_once_it_is_on_record(self, sent):
        operation = make_operation(kind=Showcase, own={"chain": True})
        run_operation(str(operation.pk), 1)
        following = reload(operation).next_operation
        assert sent == [(str(following.pk), 1)]

    def test_a_claim_is_tried_again_while_the_database_is_away(self, monkeypatch):
        errors = [OperationalError("database is locked"), InterfaceError("closed")]
        claim = LiveOperation.claim

        def claim_later(*args):
            if errors:
                raise errors.pop()
            return claim(*args)

        monkeypatch.setattr(LiveOperation, "claim", claim_later)
        operation = make_operation()
        run_operation.apply(args=[str(operation.pk), 1])
        assert (reload(operation).state, errors) == ("SUCCEEDED", [])
        assert run_operation.max_retries is None


class TestSending:
    def test_after_the_commit_only(self, sent):
        ann = make_user()
        operation = Greeting(owner=ann)
        submit(operation, by=ann)
        assert sent == [(str(operation.pk), 1)]

    def test_nothing_to_retry_sends_nothing(self, sent, layer):
        assert not restart(make_operation(), by=None)
        assert (sent, layer.messages) == ([], [])

    def test_a_broker_that_is_down_loses_nothing(self, monkeypatch):
        def fail(*args, **options):
            raise run_operation.OperationalError("down")

        monkeypatch.setattr(run_operation, "apply_async", fail)
        operation = make_operation(state=State.FAILED)
        assert restart(operation, by=None)
        assert (reload(operation).state, reload(operation).attempt) == ("QUEUED", 2)

    def test_what_a_broker_did_not_take_goes_out_with_the_next_sweep(self, monkeypatch, sent):
        def fail(*args, **options):
            raise run_operation.OperationalError("down")

        operation = Greeting(owner=make_user())
        with monkeypatch.context() as broker:
            broker.setattr(run_operation, "apply_async", fail)
            submit(operation, by=operation.owner)
        assert sent == []
        sweep()
        assert sent == [(str(operation.pk), 1)]
        sweep()
        assert len(sent) == 1


class TestQueues:
    """Whoever sends the message, and however often, it goes to the queue that the kind names."""

    @pytest.fixture
    def queues(self, monkeypatch):
        """Where the messages went, as (id, queue)."""
        sent = []

        def keep(args, queue, **options):
            sent.append((args[0], queue))

        monkeypatch.setattr(run_operation, "apply_async", keep)
        return sent

    def test_a_start(self, queues):
        for operation in (Heavy(owner=make_user()), Greeting(owner=make_user("bob"))):
            submit(operation, by=operation.owner)
        assert [queue for _key, queue in queues] == ["heavy", None]

    def test_a_retry(self, queues):
        operation = make_operation(kind=Heavy, state=State.FAILED)
        restart(operation, by=None)
        assert queues == [(str(operation.pk), "heavy")]

    def test_a_lost_run_that_goes_on(self, monkeypatch, queues):
        monkeypatch.setattr(Heavy, "retry_when_lost", True)
        operation = make_operation(kind=Heavy, state=State.RUNNING, heartbeat_at=LONG_AGO)
        sweep()
        assert queues == [(str(operation.pk), "heavy")]

    def test_a_message_that_vanished(self, queues):
        operation = make_operation(kind=Heavy, queued_at=LONG_AGO)
        sweep()
        assert queues == [(str(operation.pk), "heavy")]

    def test_an_operation_whose_turn_has_come(self, queues):
        operation = make_operation(kind=Heavy, held=True)
        sweep()
        assert queues == [(str(operation.pk), "heavy")]

    def test_a_chained_operation(self, queues):
        operation = make_operation(kind=Heavy, own={"chain": "heavy"})
        run_operation(str(operation.pk), 1)
        assert queues == [(str(reload(operation).next_operation_id), "heavy")]

    def test_a_kind_that_is_gone(self, queues):
        operation = make_operation(kind=Heavy, queued_at=LONG_AGO)
        LiveOperation.objects.filter(pk=operation.pk).update(kind="kinds.gone")
        sweep()
        assert queues == [(str(operation.pk), None)]


class TestCancel:
    def test_what_has_ended_leaves_no_hint(self):
        operation = make_operation(state=State.SUCCEEDED)
        assert not cancel(operation, by=operation.owner)
        assert hints.read_cancel_request(operation.pk, 1) is None


class TestSweep:
    def test_a_run_without_any_sign_of_life_is_lost(self, layer):
        operation = make_operation(state=State.RUNNING, heartbeat_at=LONG_AGO)
        sweep()
        assert reload(operation).state == "LOST"
        assert layer.messages == [{"type": "liveop.changed", "group": operation.get_channel_name()}]

    def test_a_heartbeat_in_the_row_is_a_sign_of_life(self):
        operation = make_operation(state=State.RUNNING)
        sweep()
        assert reload(operation).state == "RUNNING"

    def test_a_heartbeat_in_the_cache_is_a_sign_of_life(self):
        operation = make_operation(state=State.RUNNING, heartbeat_at=LONG_AGO)
        hints.show_alive(operation.pk, 1)
        sweep()
        assert reload(operation).state == "RUNNING"

    def test_a_heartbeat_of_another_attempt_is_none(self):
        operation = make_operation(state=State.RUNNING, heartbeat_at=LONG_AGO, attempt=2)
        hints.show_alive(operation.pk, 1)
        sweep()
        assert reload(operation).state == "LOST"

    def test_nothing_is_retried_unasked(self, sent):
        operation = make_operation(kind=Patient, state=State.RUNNING, heartbeat_at=LONG_AGO)
        sweep()
        assert (reload(operation).attempt, sent) == (1, [])

    @pytest.mark.parametrize(("attempt", "state"), [(1, "QUEUED"), (2, "QUEUED"), (3, "LOST")])
    def test_retry_when_lost_ends_at_the_last_attempt(self, monkeypatch, sent, attempt, state):
        monkeypatch.setattr(Patient, "retry_when_lost", True)
        operation = make_operation(
            kind=Patient, state=State.RUNNING, heartbeat_at=LONG_AGO, attempt=attempt
        )
        sweep()
        operation = reload(operation)
        assert operation.state == state
        if state == "QUEUED":
            assert sent == [(str(operation.pk), attempt + 1)]
            assert operation.restarts == 1
        else:
            assert sent == []

    def test_two_sweeps_at_once_lose_a_run_once(self, monkeypatch, sent):
        monkeypatch.setattr(Patient, "retry_when_lost", True)
        operation = make_operation(kind=Patient, state=State.RUNNING, heartbeat_at=LONG_AGO)
        at_once(2, sweep)
        assert reload(operation).attempt == 2
        assert len(sent) == 1
        assert OperationEvent.objects.filter(to_state="LOST").count() == 1

    def test_a_message_that_vanished_is_sent_again(self, sent):
        operation = make_operation(queued_at=LONG_AGO)
        sweep()
        assert sent == [(str(operation.pk), 1)]
        assert reload(operation).queued_at > LONG_AGO

    def test_what_was_queued_just_now_is_not_sent_again(self, sent):
        make_operation()
        sweep()
        assert sent == []

    def test_a_sweep_that_another_one_overtakes_does_not_send_again(self, sent):
        operation = make_operation(queued_at=LONG_AGO)
        others = [1]

        def overtaken(execute, sql, *rest):
            """Before this sweep's first update another sweep goes through."""
            if sql.startswith("UPDATE") and others:
                at_once(others.pop(), sweep)
            return execute(sql, *rest)

        with connection.execute_wrapper(overtaken):
            sweep()
        assert others == []
        assert sent == [(str(operation.pk), 1)]

    def test_what_has_ended_is_left_alone(self, sent):
        for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST):
            make_operation(make_user(state), state=state, heartbeat_at=LONG_AGO, queued_at=LONG_AGO)
        sweep()
        assert sent == []
        assert OperationEvent.objects.exclude(from_state="").count() == 0
