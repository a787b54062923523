"""What a run reports is in the record and on the page: a real thread, a real database file."""

import sqlite3
import sys
import threading
import time
from contextlib import closing
from typing import Any

import pytest
from django.db import connection
from redis.exceptions import ConnectionError as RedisConnectionError

from liveops.execution import execute
from liveops.models import LiveOperation, LogChunk, State
from liveops.outcome import Outcome
from liveops.record import Log
from liveops.reporter import TURN, ProgressReporter
from liveops.tests.make import make_operation
from tests.kinds.models import Greeting, Locked

pytestmark = pytest.mark.django_db(transaction=True)

SUCCEEDED = Outcome(state=State.SUCCEEDED)


def texts(operation):
    return [line.text for line in Log(operation, operation.attempt)]


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def run(monkeypatch, act, **columns):
    """Execute an operation whose `run()` calls `act(operation, p)`; return it as recorded."""
    monkeypatch.setattr(Greeting, "run", act)
    operation = make_operation(state=State.RUNNING, **columns)
    execute(operation)
    operation.refresh_from_db()
    return operation


def test_everything_reported_is_recorded_in_order_when_run_returns(monkeypatch, layer):
    def report(operation, p):
        for number in range(3_000):
            p.log(f"line {number}")
            if number % 1_000 == 0:
                p.status(f"at {number}")
                time.sleep(0.03)
        p.percent(70)

    operation = run(monkeypatch, report)
    assert (operation.state, operation.percent) == ("SUCCEEDED", 70)
    assert operation.status_text == "at 2000"
    assert operation.log_lines == 3_000
    assert texts(operation) == [f"line {number}" for number in range(3_000)]


def test_everything_reported_is_recorded_when_run_raises(monkeypatch, layer):
    def report(operation, p):
        p.html("#a", "<b>x</b>")
        for number in range(50):
            p.log(f"line {number}")
        raise OSError("disk")

    operation = run(monkeypatch, report)
    assert operation.state == "FAILED"
    assert texts(operation) == [f"line {number}" for number in range(50)]
    assert operation.regions == {"#a": "<b>x</b>"}


def test_frames_are_numbered_without_gaps_and_bring_every_line_once(monkeypatch, layer):
    def report(operation, p):
        for number in range(60):
            p.log(f"line {number}")
            time.sleep(0.005)

    operation = run(monkeypatch, report)
    frames = layer.frames
    assert [frame["seq"] for frame in frames] == list(range(1, operation.seq + 1))
    assert len(frames) > 3
    logs = [frame["log"] for frame in frames if "log" in frame]
    assert logs[0]["first"] == 1
    assert [log["first"] for log in logs[1:]] == [log["last"] + 1 for log in logs[:-1]]
    assert logs[-1]["last"] == 60
    assert layer.groups == {f"liveop.{operation.pk}"}


def test_the_first_frame_says_that_it_runs_and_the_last_how_it_ended(monkeypatch, layer):
    run(monkeypatch, lambda operation, p: None)
    first, last = layer.frames[0], layer.frames[-1]
    assert (first["state"], last["state"]) == ("RUNNING", "SUCCEEDED")
    assert set(first["parts"]) == set(last["parts"]) == {"stages", "status", "progress", "result"}


def test_a_frame_carries_only_the_parts_that_changed(monkeypatch, layer):
    def report(operation, p):
        wait_until(lambda: layer.frames)
        for act in (lambda: p.percent(5), lambda: p.status("x"), lambda: p.html("#a", "b")):
            seen = len(layer.frames)
            act()
            wait_until(lambda seen=seen: len(layer.frames) > seen)

    run(monkeypatch, report)
    middle = layer.frames[1:-1]
    assert [sorted(frame["parts"]) for frame in middle] == [["progress"], ["status"], []]
    assert [frame.get("regions") for frame in middle] == [None, None, {"#a": "b"}]


def test_the_frame_of_a_burst_has_only_the_end_of_the_log(layer):
    operation = make_operation(state=State.RUNNING)
    reporter = ProgressReporter(operation)
    for number in range(1, 1_001):
        reporter.buffer.log("info", f"line {number}")
    reporter.start()
    assert reporter.finish(SUCCEEDED) is State.SUCCEEDED
    log = layer.frames[0]["log"]
    assert (log["first"], log["last"]) == (801, 1_000)
    assert log["html"].count("<li") == 200
    assert len(texts(operation)) == 1_000
    assert [chunk.line_count for chunk in LogChunk.objects.order_by("first_line")] == [500, 500]


def test_every_frame_is_recorded_before_it_is_pushed(monkeypatch, layer):
    in_record = []

    async def look(group, message):
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            rows = other.execute("SELECT state, seq FROM liveops_liveoperation")
            in_record.append(rows.fetchone())
        layer.messages.append(message)

    def report(operation, p):
        p.log("one")
        time.sleep(0.05)
        p.log("two")

    layer.group_send = look
    run(monkeypatch, report)
    assert in_record == [(message["state"], message["seq"]) for message in layer.messages]
    assert in_record[-1][0] == "SUCCEEDED"


@pytest.mark.parametrize("failure", [RedisConnectionError("down"), TimeoutError(), OSError("gone")])
def test_a_layer_that_is_down_never_reaches_the_run(monkeypatch, layer, failure):
    layer.failure = failure
    operation = run(monkeypatch, lambda operation, p: p.log("one"))
    assert operation.state == "SUCCEEDED"
    assert texts(operation) == ["one"]


def test_a_run_that_holds_the_write_lock_is_shown_and_recorded_afterwards(layer):
    operation = make_operation(kind=Locked, own={"seconds": 1.0}, state=State.RUNNING)
    execute(operation)
    operation.refresh_from_db()
    assert operation.state == "SUCCEEDED"
    assert operation.written > 10
    assert texts(operation) == [f"line {number}" for number in range(1, operation.written + 1)]
    unrecorded = [message for message in layer.messages if message["recorded"] < message["seq"]]
    assert len(unrecorded) > 10
    assert layer.messages[-1]["recorded"] == operation.seq
    assert [frame["seq"] for frame in layer.frames] == list(range(1, operation.seq + 1))


def test_four_threads_of_one_run_report_at_once(monkeypatch, layer):
    def report(operation, p):
        def count(name):
            for number in range(200):
                p.log(f"{name} {number}")

        threads = [threading.Thread(target=count, args=[name]) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    operation = run(monkeypatch, report)
    recorded = texts(operation)
    assert len(recorded) == 800
    for name in "abcd":
        mine = [line for line in recorded if line.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(200)]


def test_a_full_buffer_loses_no_line(monkeypatch, layer, settings):
    settings.LIVEOPS = {"MAX_PENDING": 2_000}

    def report(operation, p):
        for number in range(500):
            p.log(f"{number:0>100}")

    operation = run(monkeypatch, report)
    assert operation.log_lines == 500
    assert len(texts(operation)) == 500


def test_a_run_that_never_waits_leaves_the_interpreter_often(monkeypatch, layer):
    turns = []
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        run(monkeypatch, lambda operation, p: turns.append(sys.getswitchinterval()))
    finally:
        sys.setswitchinterval(before)
    assert turns == [pytest.approx(TURN)]


def test_an_idle_run_shows_signs_of_life(monkeypatch, layer, settings):
    settings.LIVEOPS = {"HEARTBEAT_EVERY": 0.1}
    seen: list[Any] = []

    def heartbeat():
        return LiveOperation.objects.values_list("heartbeat_at", flat=True).get()

    def wait(operation, p):
        for _ in range(3):
            seen.append(heartbeat())
            wait_until(lambda: heartbeat() > seen[-1])

    run(monkeypatch, wait)
    assert len(set(seen)) == 3
    kinds = [message["type"] for message in layer.messages]
    assert kinds.count("liveop.heartbeat") >= 2
    beat = next(message for message in layer.messages if message["type"] == "liveop.heartbeat")
    assert (beat["attempt"], beat["seq"], beat["state"], beat["recorded"]) == (1, 1, "RUNNING", 1)


def test_a_template_that_cannot_be_rendered_costs_a_frame_and_nothing_else(monkeypatch, layer):
    def fail(*args, **kwargs):
        raise ValueError("broken template")

    monkeypatch.setattr("liveops.reporter.frame", fail)
    operation = run(monkeypatch, lambda operation, p: p.log("one"))
    assert (operation.state, texts(operation)) == ("SUCCEEDED", ["one"])
    assert layer.frames == []
    assert layer.messages[-1]["state"] == "SUCCEEDED"
