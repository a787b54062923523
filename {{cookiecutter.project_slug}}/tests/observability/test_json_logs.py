"""The logs of real processes as JSON: one object for each event, and for each run its fields."""

import json
import re
import time

import httpx

from liveops.models import State
from tests.client import SiteClient
from tests.faults.ledger import operation, wait_for_state
from tests.kinds.models import PERSONAL
from tests.observability.stack import ObservedStack
from tests.processes import Process, wait_until
from tests.security.texts import TEXTS
from tests.watcher import Watcher

# What Celery writes past `logging`, from within a signal handler and before there is a log.
PAST_THE_LOG = re.compile(
    r"worker: (Warm|Cold) shutdown|worker: Hitting Ctrl\+C again|.*SecurityWarning|absolutely not|"
    r"Please specify|User information|  _warn_or_raise"
)


def size(process: Process) -> int:
    return process.log.stat().st_size


def test_every_line_of_every_process_is_an_object(stack: ObservedStack, member: SiteClient) -> None:
    operation_id = member.start("kinds.failing", how="aloud")
    watcher = Watcher(member, operation_id)
    watcher.connect()
    watcher.wait_until_finished()
    watcher.disconnect()
    httpx.get(f"{stack.base_url}/nowhere?q=1")
    loggers = set()
    for process in (stack.web, stack.worker, stack.beat):
        for line in process.log.read_text(encoding="ascii").splitlines():
            if not line or PAST_THE_LOG.match(line):
                continue
            event = json.loads(line)
            assert list(event)[:4] == ["timestamp", "level", "logger", "message"], line
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
            loggers.add(event["logger"])
    assert {"daphne.access", "daphne.server", "django.request", "liveops.audit"} <= loggers
    assert {"celery.apps.worker", "liveops.execution", "operations.mine"} <= loggers


def test_whatever_a_run_logs_says_which_run_it_is(stack: ObservedStack, member: SiteClient) -> None:
    before = size(stack.worker)
    operation_id = member.start("kinds.failing", how="aloud")
    wait_for_state(operation_id, State.FAILED)
    wait_until(lambda: len(stack.events(stack.worker, before)) >= 3, "it is logged")
    events = {event["logger"]: event for event in stack.events(stack.worker, before)}
    run = {
        "operation": operation_id,
        "attempt": "1",
        "user": str(operation(operation_id).owner_id),
    }
    for name in ("operations.mine", "liveops.execution"):
        assert {field: events[name][field] for field in run} == run
    reading = next(e for e in stack.events(stack.worker, before) if e["message"] == "Reading")
    assert (reading["rows"], reading["level"]) == (3, "INFO")
    failure = events["liveops.execution"]
    assert failure["level"] == "ERROR"
    assert failure["exception"].startswith("Traceback (most recent call last):\n")
    assert failure["exception"].endswith(f"ValueError: {PERSONAL} is no number")


def test_the_thread_that_reports_says_so_too(stack: ObservedStack, member: SiteClient) -> None:
    operation_id = member.start("kinds.patient")
    wait_for_state(operation_id, State.RUNNING)
    before = size(stack.worker)
    stack.stop_redis()
    time.sleep(3)
    stack.start_redis()
    mine = [e for e in stack.events(stack.worker, before) if e["logger"] == "liveops.pusher"]
    assert mine
    assert {event["operation"] for event in mine} == {operation_id}
    # The worker's own lines belong to no run.
    others = [e for e in stack.events(stack.worker, before) if e["logger"].startswith("celery.")]
    assert others
    assert not any("operation" in event for event in others)
    member.cancel(operation_id)
    wait_for_state(operation_id, State.CANCELLED)


def test_the_facts_of_the_audit_are_fields(stack: ObservedStack, member: SiteClient) -> None:
    before = size(stack.web)
    operation_id = member.start("kinds.greeting")
    event = next(
        event
        for event in stack.events(stack.web, before)
        if event.get("event") == "operation started"
    )
    assert event["operation"] == operation_id
    assert event["kind"] == "kinds.greeting"
    assert event["user"] == str(operation(operation_id).owner_id)
    assert event["attempt"] == "1"


def test_a_request_is_an_event_without_its_query(stack: ObservedStack) -> None:
    before = size(stack.web)
    httpx.get(f"{stack.base_url}/accounts/login/?next=/secret-place/")
    wait_until(lambda: stack.events(stack.web, before), "it is logged")
    (event,) = [e for e in stack.events(stack.web, before) if e["logger"] == "daphne.access"]
    assert event["message"] == "GET /accounts/login/ 200"
    assert (event["method"], event["path"], event["status"]) == ("GET", "/accounts/login/", 200)
    assert event["bytes"] > 0
    assert 0 < event["seconds"] < 60
    assert event["address"].startswith("127.0.0.1:")
    assert "secret-place" not in json.dumps(event)


def test_no_address_makes_a_line_or_a_field_of_its_own(stack: ObservedStack) -> None:
    before = size(stack.web)
    # All of them go through the formatter in tests/test_logs.py.
    some = TEXTS[::6]
    with httpx.Client(base_url=stack.base_url) as client:
        for each in some:
            text = each.text.encode("utf-8", "replace")
            client.get("/" + "".join(f"%{byte:02x}" for byte in text)[:3000])
    wait_until(
        lambda: (
            sum(e["logger"] == "daphne.access" for e in stack.events(stack.web, before))
            >= len(some)
        ),
        "all are logged",
    )
    written = stack.web.log.read_bytes()[before:]
    assert written.isascii()
    assert not any(byte < 32 and byte != 10 for byte in written)
    for line in written.decode().splitlines():
        event = json.loads(line)
        assert event["logger"] in {"daphne.access", "django.request"}
        assert event["level"] in {"INFO", "WARNING"}


def test_commands_speak_to_people(stack: ObservedStack) -> None:
    said = stack.manage("check")
    assert said.startswith("System check identified no issues")
