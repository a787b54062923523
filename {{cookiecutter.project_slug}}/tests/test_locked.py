"""A run that holds SQLite's only write lock for a long time, as a first import does."""

import os
import time
from collections.abc import Callable

import pytest

from liveops.models import LiveOperation, State
from liveops.record import Log
from tests.client import SiteClient
from tests.live_view import CANCEL_REQUESTED
from tests.processes import wait_until
from tests.services import Stack
from tests.watcher import Watcher

SECONDS = float(os.environ.get("LOCKED_SECONDS", "45"))

pytestmark = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)


def pages_of(member: SiteClient, operation_id: str) -> list[str]:
    live = f"/operations/{operation_id}/"
    return ["/", "/operations/", "/operations/?fragment=rows", live, f"{live}log/"]


def is_right(watcher: Watcher, operation_id: str) -> None:
    """The log is complete and in order, on the page's end and in the record."""
    operation = LiveOperation.objects.get(pk=operation_id)
    log = [line.text for line in Log(operation, 1)]
    texts = [text for text in log if text != CANCEL_REQUESTED]
    assert texts == [f"line {number}" for number in range(1, len(texts) + 1)]
    assert watcher.view.problems == []
    assert watcher.view.texts == log[-len(watcher.view.texts) :]
    assert watcher.view.last_line == len(log) == operation.log_lines


def test_a_page_keeps_moving_while_the_run_holds_the_write_lock(
    stack: Stack, new_member: Callable[[], SiteClient]
) -> None:
    member = new_member()
    operation_id = member.start("kinds.locked", seconds=SECONDS)
    watcher = Watcher(member, operation_id)
    watcher.connect()
    watcher.wait_for(lambda view: view.last_line > 10)
    late = Watcher(member, operation_id)
    late.connect()
    pauses, slowest = [], 0.0
    while watcher.view.state == State.RUNNING:
        seen, since = watcher.view.last_line, time.monotonic()
        wait_until(
            lambda: watcher.view.last_line > seen or watcher.view.state != State.RUNNING,  # noqa: B023
            "the page moves",
        )
        pauses.append(time.monotonic() - since)
        began = time.monotonic()
        for path in pages_of(member, operation_id):
            answer = member.http.get(path)
            assert answer.status_code == 200, path
            assert "is locked" not in answer.text
        slowest = max(slowest, time.monotonic() - began)
        assert LiveOperation.objects.get(pk=operation_id).state in {State.RUNNING, State.SUCCEEDED}
    for each in (watcher, late):
        each.wait_until_finished()
        assert each.view.state == State.SUCCEEDED
        each.disconnect()
        is_right(each, operation_id)
    events = LiveOperation.objects.get(pk=operation_id).events
    assert not events.filter(to_state=State.LOST).exists()
    assert max(pauses) < 3
    print(
        f"longest pause on the page {max(pauses):.2f} s, slowest five pages {slowest:.2f} s",
        end=" ",
    )


def test_cancel_works_while_the_run_holds_the_write_lock(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.locked", seconds=SECONDS)
    watcher = Watcher(member, operation_id)
    watcher.connect()
    watcher.wait_for(lambda view: view.last_line > 10)
    began = time.monotonic()
    assert member.cancel(operation_id).status_code == 200
    clicked = time.monotonic() - began
    view = watcher.wait_until_finished(within=10)
    took = time.monotonic() - began
    watcher.disconnect()
    assert view.state == State.CANCELLED
    is_right(watcher, operation_id)
    operation = LiveOperation.objects.get(pk=operation_id)
    asked = operation.events.get(why__startswith="cancel requested")
    assert asked.user_id == operation.owner_id
    assert operation.cancel_requested_at is not None
    print(f"the click took {clicked:.2f} s, the run ended after {took:.2f} s", end=" ")


def test_what_has_to_write_meanwhile_waits_or_says_so(
    stack: Stack, new_member: Callable[[], SiteClient]
) -> None:
    member, other = new_member(), new_member()
    operation_id = member.start("kinds.locked", seconds=SECONDS)
    watcher = Watcher(member, operation_id)
    watcher.connect()
    watcher.wait_for(lambda view: view.last_line > 10)
    token = {"csrfmiddlewaretoken": other.http.cookies.get("csrftoken", "")}
    answer = other.http.post("/start/kinds.greeting/", data=token)
    assert answer.status_code == 503
    assert "is locked" not in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    member.cancel(operation_id)
    watcher.wait_until_finished(within=10)
    watcher.disconnect()
    assert other.start("kinds.greeting")
