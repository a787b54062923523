"""Operations on a real worker: how they end, and what a click does meanwhile."""

import gc
import re
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from celery.signals import worker_before_create_process

from liveops.models import LiveOperation, State
from liveops.record import Log
from tests.client import SiteClient
from tests.kinds.models import Patient
from tests.live_view import CANCEL_REQUESTED
from tests.processes import wait_until
from tests.services import Stack
from tests.watcher import Watcher


def operation(operation_id: str) -> LiveOperation:
    return LiveOperation.objects.get(pk=operation_id)


def wait_for_state(operation_id: str, state: State) -> LiveOperation:
    wait_until(lambda: operation(operation_id).state == state, f"{operation_id} is {state}")
    return operation(operation_id)


def watch(member: SiteClient, operation_id: str) -> Watcher:
    watcher = Watcher(member, operation_id)
    watcher.connect()
    return watcher


def let_end(operation_id: str) -> None:
    Patient.objects.filter(pk=operation_id).update(may_end=True)


def test_a_result_is_shown_to_those_who_watch_and_to_those_who_come_later(
    stack: Stack, member: SiteClient
) -> None:
    operation_id = member.start("kinds.greeting")
    watcher = watch(member, operation_id)
    view = watcher.wait_until_finished()
    watcher.disconnect()
    assert view.state == State.SUCCEEDED
    assert view.texts == ["Hello"]
    later = member.http.get(f"/operations/{operation_id}/").text
    assert "greeting" in later
    assert "Hello" in later


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ("raise", "Something went wrong (RuntimeError)"),
        ("operation-error", "the &lt;b&gt;file&lt;/b&gt; is empty"),
        ("p.error", "no &lt;b&gt;luck&lt;/b&gt;"),
        ("no-json", "Something went wrong (TypeError)"),
        ("template", "its result cannot be shown"),
    ],
)
def test_a_failure_says_why_and_keeps_details_for_staff(
    stack: Stack, member: SiteClient, how: str, shown: str
) -> None:
    operation_id = member.start("kinds.failing", how=how)
    watcher = watch(member, operation_id)
    view = watcher.wait_until_finished()
    watcher.disconnect()
    assert view.state == State.FAILED
    assert view.texts == ["before"]
    page = member.http.get(f"/operations/{operation_id}/").text
    # A page that was opened after the end needs no frame.
    for html in (view.parts.get("result", page), page):
        assert shown in html
        assert "secret" not in html
        assert "Traceback" not in html
    kept = operation(operation_id)
    assert ("Traceback" in kept.traceback) == (how != "p.error")


def test_cancelling_a_queued_operation_ends_it_before_it_began(
    stack: Stack, member: SiteClient
) -> None:
    busy = [member.start("kinds.patient") for _ in range(2)]
    for operation_id in busy:
        wait_for_state(operation_id, State.RUNNING)
    queued = member.start("kinds.patient")
    watcher = watch(member, queued)
    member.cancel(queued)
    assert watcher.wait_until_finished(within=5).state == State.CANCELLED
    watcher.disconnect()
    for operation_id in busy:
        let_end(operation_id)
        wait_for_state(operation_id, State.SUCCEEDED)
    # Both workers are free now, and the message of the cancelled one has come to nothing.
    done = member.start("kinds.greeting")
    wait_for_state(done, State.SUCCEEDED)
    assert operation(queued).state == State.CANCELLED
    assert operation(queued).started_at is None


def test_cancelling_a_running_operation_ends_it_at_its_next_check(
    stack: Stack, member: SiteClient
) -> None:
    operation_id = member.start("kinds.patient")
    watcher = watch(member, operation_id)
    watcher.wait_for(lambda view: view.texts == ["attempt 1"])
    began = time.monotonic()
    member.cancel(operation_id)
    assert watcher.wait_until_finished(within=5).state == State.CANCELLED
    took = time.monotonic() - began
    watcher.disconnect()
    events = [event.why for event in operation(operation_id).events.all()]
    assert "cancel requested" in events
    assert events[-1] == "the run obeyed the cancel request"
    print(f"cancelled within {took:.2f} s", end=" ")


def test_a_retry_begins_anew_on_the_same_page(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.patient")
    watcher = watch(member, operation_id)
    watcher.wait_for(lambda view: view.texts == ["attempt 1"])
    member.cancel(operation_id)
    watcher.wait_until_finished()
    let_end(operation_id)
    member.restart(operation_id)
    view = watcher.wait_for(lambda view: view.attempt == 2 and view.state == State.SUCCEEDED)
    watcher.disconnect()
    assert view.texts == ["attempt 2"]
    kept = operation(operation_id).as_kind()
    assert isinstance(kept, Patient)
    assert kept.restarts == 1
    assert [line.text for line in Log(kept, 1)] == ["attempt 1", CANCEL_REQUESTED]


def test_a_chain_leads_on_to_the_next_operation(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.showcase", chain="on")
    watcher = watch(member, operation_id)
    view = watcher.wait_until_finished()
    watcher.disconnect()
    following = operation(operation_id).next_operation
    assert following is not None
    if view.redirect:  # not when the run was over before the page was opened
        assert view.redirect == following.get_absolute_url()
    assert wait_for_state(str(following.pk), State.SUCCEEDED).kind == "kinds.greeting"
    assert view.regions.get("#first", "<p>one</p><p>two</p>") == "<p>one</p><p>two</p>"


def test_a_message_that_comes_again_runs_nothing_twice(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.greeting")
    wait_for_state(operation_id, State.SUCCEEDED)
    send = f"from liveops.tasks import run_operation; run_operation.delay('{operation_id}', 1)"
    stack.manage("shell", "-v0", "-c", f"{send}\n{send}")
    done = member.start("kinds.greeting")
    wait_for_state(done, State.SUCCEEDED)
    claims = operation(operation_id).events.filter(to_state=State.RUNNING)
    assert claims.count() == 1


def test_a_running_operation_keeps_two_connections_to_redis_at_most(
    stack: Stack, member: SiteClient
) -> None:
    # A child that took a killed one's place shares sockets with Celery's main process.
    stack.restart(stack.worker)
    operation_id = member.start("kinds.chatter", lines=2_000, burst=1, pause=0.002)
    wait_for_state(operation_id, State.RUNNING)
    process = psutil.Process(int(operation(operation_id).worker.partition(":")[2]))

    def connections() -> int:
        return sum(
            bool(each.raddr) and each.raddr.port == stack.redis_port
            for each in process.net_connections(kind="tcp")
        )

    most = 0
    while operation(operation_id).state == State.RUNNING:
        most = max(most, connections())
    assert 1 <= most <= 2
    print(f"{most} Redis connections while it reported 2,000 times", end=" ")


def test_no_secret_reaches_a_log_or_an_address(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.greeting")
    watcher = watch(member, operation_id)
    watcher.wait_until_finished()
    token = member.fresh_token(watcher.page)
    watcher.disconnect()
    logs = "\n".join(process.log.read_text(errors="replace") for process in stack.processes)
    assert operation_id in logs  # the web server names the pages that it serves
    assert token not in logs
    assert not re.search(r"token=|sessionid=", logs)
    assert stack.env["SECRET_KEY"] not in logs


def test_a_start_form_that_is_sent_twice_makes_one_operation(
    stack: Stack, member: SiteClient
) -> None:
    form = member.http.get("/start/kinds.patient/").text
    found = re.search(r'name="form_key" value="([0-9a-f-]+)"', form)
    assert found
    with ThreadPoolExecutor() as clicks:
        started = set(
            clicks.map(
                lambda _: member.start("kinds.patient", form_key=found[1], may_end="on"), range(6)
            )
        )
    assert len(started) == 1
    wait_for_state(started.pop(), State.SUCCEEDED)
    assert member.start("kinds.patient", form_key="nonsense", may_end="on")


def test_many_clicks_on_retry_make_one_new_attempt(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.failing", how="p.error")
    wait_for_state(operation_id, State.FAILED)
    with ThreadPoolExecutor(10) as clicks:
        list(clicks.map(lambda _: member.restart(operation_id), range(20)))
    wait_until(lambda: operation(operation_id).is_finished, "all attempts are over")
    retries = operation(operation_id).events.filter(to_state=State.QUEUED, why="retry")
    claims = operation(operation_id).events.filter(from_state=State.QUEUED)
    # A click after the new attempt has failed in its turn is another retry, and rightly so.
    assert operation(operation_id).attempt == 1 + retries.count()
    assert claims.count() == operation(operation_id).attempt


def test_a_workers_children_share_what_it_had_loaded() -> None:
    """A garbage collection of a child would write to each object, and so copy it."""
    before = gc.get_freeze_count()
    try:
        worker_before_create_process.send(sender=None)
        assert gc.get_freeze_count() > before + 100_000
    finally:
        gc.unfreeze()
