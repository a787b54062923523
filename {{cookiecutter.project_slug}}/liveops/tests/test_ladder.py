"""A cancel request climbs until the run obeys."""

import threading
import time
from contextlib import suppress

import pytest
from django.test import override_settings

from liveops.buffer import ReportBuffer
from liveops.exceptions import OperationCancelled
from liveops.execution import execute
from liveops.ladder import CancelLadder, Rung
from liveops.models import LiveOperation, State
from liveops.record import Log
from liveops.run_thread import RunThread
from liveops.tests.make import make_operation
from tests.kinds.models import Greeting

GRACE = {"CANCEL_GRACE": 0.2}


def in_a_thread(act):
    """Run `act(run_thread)` in a thread of its own; returns that thread and its RunThread."""
    made = threading.Event()
    box = []

    def work():
        run = RunThread()
        box.append(run)
        made.set()
        act(run)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert made.wait(5)
    return thread, box[0]


def until(stop):
    def wait(_run):
        with suppress(OperationCancelled):
            stop.wait(5)

    return wait


def test_an_interrupt_ends_a_loop_that_never_checks():
    ended = []

    def loop(run):
        try:
            try:
                while True:
                    time.sleep(0.01)
            finally:
                run.leave()
        except OperationCancelled:
            ended.append("cancelled")

    thread, run = in_a_thread(loop)
    assert run.interrupt()
    thread.join(5)
    assert ended == ["cancelled"]


def test_the_aftermath_of_a_run_is_not_interrupted():
    go, ended = threading.Event(), []

    def work(run):
        run.leave()
        go.wait(5)
        ended.append("in peace")

    thread, run = in_a_thread(work)
    time.sleep(0.05)
    assert not run.interrupt()
    go.set()
    thread.join(5)
    assert ended == ["in peace"]


@override_settings(LIVEOPS=GRACE)
def test_each_rung_has_its_time_and_its_line_in_the_log():
    stop = threading.Event()
    thread, run = in_a_thread(until(stop))
    buffer = ReportBuffer(1_000, bool)
    ladder = CancelLadder(buffer, run, terminate=lambda: None)
    rungs = []
    ladder.climb()
    rungs.append(ladder.rung)
    ladder.ask()
    ladder.ask()
    ladder.climb()
    rungs.append(ladder.rung)
    with pytest.raises(OperationCancelled):
        buffer.check()
    for _ in range(2):
        time.sleep(0.25)
        ladder.climb()
        ladder.climb()
        rungs.append(ladder.rung)
    assert rungs == list(Rung)
    lines = buffer.take().lines
    assert [line.level for line in lines] == ["warning"] * 3
    assert [line.text.split(":")[0] for line in lines] == [
        "Cancel requested",
        "The run does not check",
        "The run does not react",
    ]
    stop.set()
    thread.join(5)


@override_settings(LIVEOPS=GRACE)
def test_without_a_process_to_end_the_ladder_ends_a_rung_earlier():
    stop = threading.Event()
    thread, run = in_a_thread(until(stop))
    ladder = CancelLadder(ReportBuffer(1_000, bool), run, terminate=None)
    ladder.ask()
    for _ in range(3):
        time.sleep(0.25)
        ladder.climb()
    assert ladder.rung is Rung.INTERRUPTED
    stop.set()
    thread.join(5)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("layer")
@override_settings(LIVEOPS={"CANCEL_GRACE": 0.3})
def test_a_run_that_never_checks_is_interrupted_and_recorded(monkeypatch):
    def stubborn(operation, p):
        p.log("on and on")
        LiveOperation.objects.get().cancel()
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(Greeting, "run", stubborn)
    operation = make_operation(state=State.RUNNING)
    execute(operation)
    operation.refresh_from_db()
    assert operation.state == State.CANCELLED
    texts = [line.text for line in Log(operation, 1)]
    assert texts[0] == "on and on"
    assert [text.split(":")[0] for text in texts[1:]] == [
        "Cancel requested",
        "The run does not check",
    ]
