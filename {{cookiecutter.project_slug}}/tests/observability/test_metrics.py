"""What Prometheus reads from a real web server, a real worker and a real scheduler."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
from django.db import connection
from django.utils import timezone

from accounts.models import User
from liveops.models import LiveOperation, State
from liveops.queue_state import read_queue_state
from tests.client import SiteClient
from tests.faults.ledger import wait_for_attempt, wait_for_state
from tests.kinds.models import Patient
from tests.observability.stack import ObservedStack, Scrape
from tests.processes import HOST, wait_until
from tests.security.sockets import answer_to
from tests.watcher import Watcher

MANY_THAT_HAVE_ENDED = """
INSERT INTO liveops_liveoperation (
    id, owner_id, kind, state, attempt, seq, status_text, status_level, stage_states, regions,
    error, traceback, log_lines, language, created_at, queued_at, held, worker
)
SELECT gen_random_uuid(), %s, 'kinds.greeting', 'SUCCEEDED', 1, 1, '', 'info', '{}', '{}',
    '', '', 0, 'en', now(), now(), false, 'one of many'
FROM generate_series(1, 20000)
"""
WITH_THEIR_EVENTS = """
INSERT INTO liveops_operationevent (operation_id, at, attempt, from_state, to_state, why)
SELECT id, created_at, 1, '', 'QUEUED', 'one of many'
FROM liveops_liveoperation WHERE worker = 'one of many'
"""


def test_without_the_token_there_is_no_such_page(stack: ObservedStack) -> None:
    address = f"{stack.base_url}/metrics"
    token = stack.env["METRICS_TOKEN"]
    nowhere = httpx.get(f"{stack.base_url}/nowhere")
    assert nowhere.status_code == 404
    wrong = ["Bearer", f"Bearer {token}x", f"Bearer {token[:-1]}", f"Basic {token}", token, "ä"]
    for header in [{}, *({"Authorization": value.encode()} for value in wrong)]:
        answer = httpx.get(address, headers=cast("Any", header))
        assert answer.status_code == 404, header
        assert answer.text == nowhere.text
    assert httpx.get(address, params={"token": token}).status_code == 404
    good = {"Authorization": f"Bearer {token}"}
    assert httpx.post(address, headers=good).status_code in {403, 404}


def test_the_token_opens_it_whatever_the_host_is_called(stack: ObservedStack) -> None:
    """Prometheus reaches each web server by an address of its own."""
    headers = {"Authorization": f"Bearer {stack.env['METRICS_TOKEN']}"}
    for host in (HOST, "10.1.2.3:8000", "web"):
        answer = httpx.get(f"{stack.base_url}/metrics", headers={**headers, "Host": host})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert answer.headers["Cache-Control"] == "no-store"
    assert httpx.get(f"{stack.base_url}/metrics", headers={"Host": "10.1.2.3"}).status_code == 400


def grew(before: Scrape, after: Scrape, name: str, **labels: str) -> float:
    return after(name, **labels) - before(name, **labels)


def test_a_run_is_counted_where_it_happens(stack: ObservedStack, member: SiteClient) -> None:
    web, worker = stack.scrape(), stack.scrape("worker")
    operation_id = member.start("kinds.chatter", lines=300, burst=1, pause=0.01)
    watcher = Watcher(member, operation_id)
    watcher.connect()
    watcher.wait_for(lambda view: view.last_line > 10)
    assert stack.scrape()("liveops_websockets", state="watching") >= 1
    running = {"kind": "kinds.chatter", "state": "RUNNING"}
    # Who asks again within a second gets the same answer.
    wait_until(lambda: stack.scrape()("liveops_operations", **running) == 1, "it is seen", within=3)
    assert stack.scrape("worker")("liveops_worker_running") == 1
    watcher.wait_until_finished()
    watcher.disconnect()
    kind = {"kind": "kinds.chatter"}
    wait_until(lambda: stack.scrape("worker")("liveops_worker_running") == 0, "nothing runs")
    web_after, worker_after = stack.scrape(), stack.scrape("worker")
    assert grew(web, web_after, "liveops_operations_started_total", **kind) == 1
    ended = {**kind, "state": "SUCCEEDED"}
    assert grew(worker, worker_after, "liveops_operations_ended_total", **ended) == 1
    assert grew(worker, worker_after, "liveops_run_seconds_count", **ended) == 1
    assert 1.5 < grew(worker, worker_after, "liveops_run_seconds_sum", **ended) < 30
    assert grew(worker, worker_after, "liveops_wait_seconds_count", **kind) == 1
    assert 0 < grew(worker, worker_after, "liveops_wait_seconds_sum", **kind) < 10
    assert grew(worker, worker_after, "liveops_flush_seconds_count") > 10
    frames = grew(web, web_after, "liveops_frame_bytes_count")
    size = grew(web, web_after, "liveops_frame_bytes_sum")
    assert frames >= 10
    # Each line is there with its markup.
    assert 300 * len("line 300") < size < 10_000_000
    wait_until(lambda: stack.scrape()("liveops_operations", **running) == 0, "its end is seen")


def test_what_waits_is_read_from_the_database(stack: ObservedStack, member: SiteClient) -> None:
    running = [member.start("kinds.patient") for _ in range(2)]
    for operation_id in running:
        wait_for_state(operation_id, State.RUNNING)
    waiting = member.start("kinds.greeting")
    time.sleep(2)
    # The sweep moves this on, which makes nobody wait for a shorter time.
    LiveOperation.objects.filter(pk=waiting).update(queued_at=timezone.now())
    scrape = stack.scrape()
    assert scrape("liveops_record_up") == 1
    assert scrape("liveops_operations", kind="kinds.patient", state="RUNNING") == 2
    assert scrape("liveops_operations", kind="kinds.greeting", state="QUEUED") == 1
    assert 2 <= scrape("liveops_queue_oldest_seconds", kind="kinds.greeting") < 20
    assert scrape("liveops_queue_oldest_seconds", kind="kinds.patient") == 0
    Patient.objects.filter(pk__in=running).update(may_end=True)
    wait_for_state(waiting, State.SUCCEEDED)
    time.sleep(1.1)
    assert stack.scrape()("liveops_queue_oldest_seconds", kind="kinds.greeting") == 0


def test_failures_cancels_and_retries_are_counted(stack: ObservedStack, member: SiteClient) -> None:
    web, worker = stack.scrape(), stack.scrape("worker")
    failing = member.start("kinds.failing", how="p.error")
    wait_for_state(failing, State.FAILED)
    member.restart(failing)
    wait_for_attempt(failing, 2)
    wait_for_state(failing, State.FAILED)
    patient = member.start("kinds.patient")
    wait_for_state(patient, State.RUNNING)
    member.cancel(patient)
    wait_for_state(patient, State.CANCELLED)
    wait_until(lambda: stack.scrape("worker")("liveops_worker_running") == 0, "nothing runs")
    web_after, worker_after = stack.scrape(), stack.scrape("worker")
    assert grew(web, web_after, "liveops_operations_retried_total", kind="kinds.failing") == 1
    ended = "liveops_operations_ended_total"
    assert grew(worker, worker_after, ended, kind="kinds.failing", state="FAILED") == 2
    assert grew(worker, worker_after, ended, kind="kinds.patient", state="CANCELLED") == 1
    assert grew(web, web_after, ended, kind="kinds.patient", state="CANCELLED") == 0


def test_a_child_that_is_killed_loses_no_count_and_runs_nothing(
    stack: ObservedStack, member: SiteClient
) -> None:
    greeting = member.start("kinds.greeting")
    wait_for_state(greeting, State.SUCCEEDED)
    before = stack.scrape("worker")
    ended = "liveops_operations_ended_total"
    assert before(ended, kind="kinds.greeting", state="SUCCEEDED") >= 1
    patient = member.start("kinds.patient")
    wait_for_state(patient, State.RUNNING)
    assert stack.scrape("worker")("liveops_worker_running") == 1
    stack.kill_child_of(patient)
    wait_for_state(patient, State.LOST)
    wait_until(lambda: stack.scrape("worker")("liveops_worker_running") == 0, "nothing runs")
    after = stack.scrape("worker")
    # Counted by the parent, which noticed it.
    assert grew(before, after, ended, kind="kinds.patient", state="LOST") == 1
    assert grew(before, after, ended, kind="kinds.greeting", state="SUCCEEDED") == 0


def test_a_new_worker_counts_from_the_beginning_and_has_the_port(stack: ObservedStack) -> None:
    stack.kill_worker()
    stack.start_worker()
    wait_until(lambda: stack.scrape("worker").values, "its metrics are served")
    total = stack.scrape("worker")("liveops_flush_seconds_count")
    assert total == 0
    files = Path(stack.worker.env["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db")
    pids = {file.stem.rpartition("_")[2] for file in files}
    assert pids <= {str(stack.worker.pid), *map(str, stack.worker_children())}


def test_the_scheduler_counts_its_sweeps(stack: ObservedStack) -> None:
    before = stack.scrape("beat")("liveops_sweeps_total")
    wait_until(lambda: stack.scrape("beat")("liveops_sweeps_total") > before, "it swept", within=25)


def test_refused_websockets_are_counted_by_their_code(
    stack: ObservedStack, member: SiteClient
) -> None:
    before = stack.scrape()
    assert answer_to(stack.base_url, member.cookies, "forged") == "4401"
    assert answer_to(stack.base_url, member.cookies, "x", path="/ws/elsewhere/") == "403"
    after = stack.scrape()
    for code in ("4401", "403"):
        assert grew(before, after, "liveops_websockets_refused_total", code=code) == 1


def test_a_report_that_the_database_cannot_take_is_counted(
    stack: ObservedStack, member: SiteClient
) -> None:
    patient = member.start("kinds.patient")
    wait_for_state(patient, State.RUNNING)
    before = stack.scrape("worker")("liveops_flushes_postponed_total")
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM liveops_liveoperation WHERE id = %s FOR UPDATE", [patient])
        # Longer than between two heartbeats.
        time.sleep(3)
        cursor.execute("ROLLBACK")
    Patient.objects.filter(pk=patient).update(may_end=True)
    wait_for_state(patient, State.SUCCEEDED)
    assert stack.scrape("worker")("liveops_flushes_postponed_total") > before


def test_without_the_database_the_rest_is_served(stack: ObservedStack) -> None:
    connection.close()
    stack.database.pause()  # type: ignore[attr-defined]
    try:
        time.sleep(1.1)
        scrape = stack.scrape()
        assert scrape("liveops_record_up") == 0
        assert "liveops_operations" not in scrape.families
        assert ("liveops_websockets", frozenset({("state", "watching")})) in scrape.values
        assert scrape("process_resident_memory_bytes") > 0
    finally:
        stack.database.resume()  # type: ignore[attr-defined]


def test_the_queue_is_read_by_an_index_however_many_have_ended(
    stack: ObservedStack, new_member: Callable[[], SiteClient]
) -> None:
    owner = User.objects.get(username=new_member().username)
    with connection.cursor() as cursor:
        cursor.execute(MANY_THAT_HAVE_ENDED, [owner.pk])
        cursor.execute(WITH_THEIR_EVENTS)
        cursor.execute("ANALYZE liveops_liveoperation; ANALYZE liveops_operationevent")
    plans = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        with connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", params)
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    began = time.perf_counter()
    read_queue_state()
    took = time.perf_counter() - began
    with connection.execute_wrapper(explain):
        read_queue_state()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM liveops_operationevent WHERE why = 'one of many'")
        cursor.execute("DELETE FROM liveops_liveoperation WHERE worker = 'one of many'")
    assert len(plans) == 2
    for plan in plans:
        assert "liveops_active" in plan
        assert "Seq Scan on liveops_liveoperation" not in plan
    print(f"{took * 1000:.1f} ms", end=" ")
