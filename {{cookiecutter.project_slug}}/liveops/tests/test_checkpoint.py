"""How far a run has come outlives its attempt."""

from typing import Any

import pytest
from django.db import transaction

from liveops.exceptions import LeaseLost
from liveops.execution import execute
from liveops.models import LiveOperation, State
from liveops.testing import RecordingProgress
from liveops.tests.make import make_operation
from tests.kinds.models import Greeting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("layer")]


class Killed(Exception):
    """Ends a run in the middle."""


def attempt(monkeypatch, run, **columns):
    monkeypatch.setattr(Greeting, "run", run)
    operation = make_operation(state=State.RUNNING, **columns)
    execute(operation)
    return LiveOperation.objects.get(pk=operation.pk)


def test_a_later_attempt_finds_what_an_earlier_one_stored(monkeypatch):
    seen = []

    def run(operation, p):
        seen.append(p.cursor)
        p.checkpoint({"after": 7})
        raise Killed

    operation = attempt(monkeypatch, run)
    assert operation.cursor == {"after": 7}
    assert operation.restart()
    again = LiveOperation.claim(operation.pk, 2, "worker")
    assert again
    execute(again)
    assert seen == [None, {"after": 7}]


def test_inside_a_transaction_it_is_committed_with_the_work(monkeypatch):
    def run(operation, p):
        with transaction.atomic():
            p.checkpoint({"after": 1})
        with transaction.atomic():
            p.checkpoint({"after": 2})
            raise Killed

    assert attempt(monkeypatch, run).cursor == {"after": 1}


def test_inside_a_transaction_a_run_without_its_lease_stops(monkeypatch):
    def run(operation, p):
        LiveOperation.objects.update(attempt=2)
        with pytest.raises(LeaseLost), transaction.atomic():
            p.checkpoint(1)

    assert attempt(monkeypatch, run).cursor is None


def test_what_json_cannot_hold_is_refused():
    p = RecordingProgress(make_operation())
    with pytest.raises(TypeError, match=r"p\.checkpoint\(\)"):
        p.checkpoint(object())


def test_track_goes_on_where_an_earlier_attempt_ended():
    operation = make_operation()
    p = RecordingProgress(operation)
    items: Any = p.track("abcdef", resume=True)
    assert [next(items), next(items), next(items)] == ["a", "b", "c"]
    items.close()
    # The third was not done with.
    assert p.checkpoints[-1] == {"done": 2}
    operation.cursor = p.checkpoints[-1]
    later = RecordingProgress(operation)
    assert list(later.track("abcdef", resume=True)) == ["c", "d", "e", "f"]
    assert later.percents[0] == pytest.approx(100 * 2 / 6, abs=0.01)
    assert later.checkpoints[-1] == {"done": 6}


def test_track_without_resume_begins_anew_and_keeps_nothing():
    operation = make_operation()
    operation.cursor = {"done": 2}
    p = RecordingProgress(operation)
    assert list(p.track("abc")) == ["a", "b", "c"]
    assert p.checkpoints == []


def test_track_does_not_guess_from_a_checkpoint_that_is_not_its_own():
    operation = make_operation()
    operation.cursor = {"after": 3}
    with pytest.raises(ValueError, match="'after': 3"):
        list(RecordingProgress(operation).track("abc", resume=True))
