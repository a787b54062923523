"""`/readyz` of a real web server, while parts of the site are there or not."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import User
from liveops.readiness import PARTS
from tests.client import SiteClient
from tests.databases import Postgres
from tests.observability.stack import ObservedStack
from tests.processes import HOST, Process, wait_until


def ask(stack: ObservedStack, **options: Any) -> httpx.Response:
    return httpx.get(f"{stack.base_url}/readyz", timeout=20, **options)


def wait_for_status(stack: ObservedStack, status: str, within: float = 40) -> None:
    wait_until(lambda: stack.status() == status, f"/readyz says {status}", within)


@contextmanager
def frozen(process: psutil.Process | Process) -> Iterator[None]:
    """Stopped, with its sockets open: nobody answers, and nobody refuses."""
    found = psutil.Process(process.pid)
    everyone = [found, *found.children(recursive=True)]
    for each in everyone:
        each.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in everyone:
            each.send_signal(signal.SIGCONT)


@pytest.fixture
def staff(stack: ObservedStack, new_member: Callable[[], SiteClient]) -> SiteClient:
    member = new_member()
    User.objects.filter(username=member.username).update(is_staff=True)
    return member


def details(staff: SiteClient) -> dict[str, Any]:
    parts: dict[str, Any] = staff.http.get("/readyz").json()["parts"]
    return parts


def test_a_whole_site_is_ready(stack: ObservedStack) -> None:
    wait_for_status(stack, "ready")
    answer = ask(stack)
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert httpx.post(f"{stack.base_url}/readyz").status_code in {403, 405}


def test_staff_see_the_parts_and_nobody_else_does(
    stack: ObservedStack, staff: SiteClient, member: SiteClient
) -> None:
    wait_for_status(stack, "ready")
    parts = details(staff)
    assert list(parts) == list(PARTS)
    assert {part["state"] for part in parts.values()} == {"ok"}
    (name,) = parts["workers"]["ages"]
    assert name.startswith("celery@")
    assert 0 <= parts["workers"]["ages"][name] < 10
    assert 0 <= parts["beat"]["age"] < 30
    assert member.http.get("/readyz").json() == {"status": "ready"}
    User.objects.filter(username=staff.username).update(is_active=False)
    assert staff.http.get("/readyz").json() == {"status": "ready"}


def test_without_redis_pages_are_served_and_so_it_is_degraded(
    stack: ObservedStack, staff: SiteClient
) -> None:
    wait_for_status(stack, "ready")
    stack.stop_redis()
    began = time.monotonic()
    wait_for_status(stack, "degraded", within=5)
    assert time.monotonic() - began < 5
    assert ask(stack).status_code == 200
    parts = details(staff)
    assert parts["database"] == {"state": "ok"}
    for name in ("cache", "channel_layer", "workers", "beat"):
        assert parts[name]["state"] == "away"
        assert "connect" in parts[name]["error"]
    stack.start_redis()
    wait_for_status(stack, "ready")


def test_a_redis_that_hangs_costs_two_seconds_in_all(
    stack: ObservedStack, staff: SiteClient
) -> None:
    wait_for_status(stack, "ready")
    with frozen(stack.redis):
        time.sleep(1.1)  # the last answer is too old then
        began = time.monotonic()
        answer = ask(stack)
        took = time.monotonic() - began
        assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})
        assert took < 3
        states = {name: part["state"] for name, part in details(staff).items()}
        assert states.pop("database") == "ok"
        assert set(states.values()) <= {"silent", "away"}
    wait_for_status(stack, "ready")
    print(f"answered after {took:.2f} s", end=" ")


def test_without_its_database_the_process_is_down(stack: ObservedStack) -> None:
    assert isinstance(stack.database, Postgres)
    wait_for_status(stack, "ready")
    connection.close()
    stack.database.pause()
    try:
        time.sleep(1.1)
        answer = ask(stack)
        assert (answer.status_code, answer.json()) == (503, {"status": "down"})
        assert answer.headers["Cache-Control"] == "no-store"
    finally:
        stack.database.resume()
    wait_for_status(stack, "ready")


def test_a_database_that_hangs_is_down_within_two_seconds_or_so(stack: ObservedStack) -> None:
    assert isinstance(stack.database, Postgres)
    wait_for_status(stack, "ready")
    connection.close()
    port = stack.database.port
    (server,) = {
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    }
    assert server is not None
    with frozen(psutil.Process(server)):
        time.sleep(1.1)
        began = time.monotonic()
        answers = [ask(stack) for _ in range(3)]
        took = time.monotonic() - began
        assert {answer.status_code for answer in answers} == {503}
        assert took < 3 * 3
    wait_for_status(stack, "ready")


def test_a_migration_that_is_missing_is_down_until_it_is_applied(
    stack: ObservedStack, staff: SiteClient
) -> None:
    """As when a new version's web server starts before `migrate`."""
    row = MigrationRecorder.Migration.objects.get(app="operations", name__startswith="0002")
    row.delete()
    try:
        # What was good once is not asked about again, so the server has to be a new one.
        stack.restart(stack.web)
        stack.wait_until_serving()
        wait_until(lambda: ask(stack).status_code == 503, "it is down")
        assert details(staff)["database"] == {
            "state": "unmigrated",
            "error": "operations.0002_normalise_contacts",
        }
    finally:
        row.save(force_insert=True)
    wait_for_status(stack, "ready")


def test_a_worker_that_shuts_down_is_forgotten_and_one_that_is_killed_is_not(
    stack: ObservedStack, staff: SiteClient
) -> None:
    wait_for_status(stack, "ready")
    stack.shut_worker_down(within=20)
    wait_for_status(stack, "degraded", within=10)
    assert details(staff)["workers"] == {"state": "missing"}
    stack.start_worker()
    wait_for_status(stack, "ready")
    stack.kill_worker()
    time.sleep(1.1)
    assert len(details(staff)["workers"]["ages"]) == 1


def test_a_scheduler_that_is_late_degrades_the_site(
    stack: ObservedStack, staff: SiteClient
) -> None:
    wait_for_status(stack, "ready")
    stack.beat.stop()
    wait_for_status(stack, "degraded", within=60)
    beat = details(staff)["beat"]
    assert beat["state"] == "late"
    assert beat["age"] > 30


def test_a_flood_of_probes_multiplies_no_work(stack: ObservedStack) -> None:
    """Counted by PostgreSQL: each look opens one connection."""
    wait_for_status(stack, "ready")

    def sessions() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
            )
            return int(cursor.fetchone()[0])

    before, began = sessions(), time.monotonic()
    with ThreadPoolExecutor(20) as probes:
        answers = list(probes.map(lambda _: ask(stack).status_code, range(200)))
    took = time.monotonic() - began
    time.sleep(1.5)  # until its statistics are written
    opened = sessions() - before
    assert answers == [200] * 200
    # Beat, reporters and the worker open a few, too.
    assert opened < took + 20
    print(f"200 probes in {took:.1f} s, {opened} database connections", end=" ")


def test_a_host_that_the_site_does_not_have_is_refused(stack: ObservedStack) -> None:
    assert ask(stack, headers={"Host": "10.1.2.3"}).status_code == 400
    assert ask(stack, headers={"Host": HOST}).status_code == 200
