"""The driver of the generated site: makes, starts and inspects operations."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from bench_operations.models import Job
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from liveops.models import LiveOperation, LogChunk, OperationEvent, State
from liveops.security import make_subscription_token
from liveops.tasks import submit, sweep_up

USER = get_user_model().objects.get_or_create(username="bench")[0]
SESSION = SessionStore()


def sign_in() -> dict[str, str]:
    """The cookie of a signed-in browser. Signing in itself is not measured."""
    SESSION[SESSION_KEY] = str(USER.pk)
    SESSION[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    SESSION[HASH_SESSION_KEY] = USER.get_session_auth_hash()
    SESSION.create()
    return {"sessionid": str(SESSION.session_key)}


def start(plan: dict[str, Any]) -> str:
    job = Job(owner=USER, plan=plan)
    submit(job, by=USER)
    return str(job.pk)


def create(count: int) -> list[str]:
    """Operations that nobody runs."""
    jobs = [Job(owner=USER) for _ in range(count)]
    for job in jobs:
        job.submit(by=USER)
    return [str(job.pk) for job in jobs]


def forget(ids: list[str]) -> None:
    LiveOperation.objects.filter(pk__in=ids).delete()


def tokens(ids: list[str]) -> list[str]:
    """One token for each id, as the page embeds them."""
    found = {str(pk): job for pk, job in Job.objects.in_bulk(set(ids)).items()}
    key = SESSION.session_key
    return [make_subscription_token(USER, found[each], session_key=key) for each in ids]


def outcome(id: str) -> dict[str, Any]:
    job = LiveOperation.objects.get(pk=id)
    return {
        "state": job.state,
        "finished": job.is_finished,
        "result": job.result_context,
        "error": job.error or job.traceback,
    }


def recorded(id: str) -> dict[str, Any]:
    """How many lines the record has, and whether they are line 1, 2, 3 ... in this order."""
    number, in_order = 0, True
    for chunk in LogChunk.objects.filter(operation_id=id).order_by("first_line").iterator():
        in_order &= chunk.first_line == number + 1
        for logged in chunk.lines:
            number += 1
            in_order &= logged.text.startswith(f"line {number} ")
    return {"lines": number, "in_order": in_order}


def database_bytes() -> dict[str, int]:
    """Sizes in bytes: the log with its index, all tables, and what was ever written to the WAL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_total_relation_size('liveops_logchunk'), "
            "pg_database_size(current_database()), "
            "pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
        )
        log, database, wal = cursor.fetchone()
    return {"log": log, "database": database, "wal": wal}


def fill(count: int) -> None:
    """Have `count` operations of this user, a few of them active, the others ended."""
    have = LiveOperation.objects.count()
    batch: list[LiveOperation] = []
    for number in range(have, count):
        state = State.SUCCEEDED if number % 10 else State.FAILED
        job = LiveOperation(owner=USER, kind=Job.kind_name(), state=state, status_text="Done")
        batch.append(job)
        if len(batch) == 2_000 or number == count - 1:
            LiveOperation.objects.bulk_create(batch)
            OperationEvent.objects.bulk_create(
                OperationEvent(operation=each, attempt=1, to_state=each.state, why="filled")
                for each in batch
            )
            batch = []
    # Else the planner would guess; autovacuum does this in production.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def time_tables(times: int) -> dict[str, Any]:
    """Median seconds of the list page, a sweep and a claim, and which of their queries scan."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.cookies["sessionid"] = str(SESSION.session_key)
    waiting = create(times + 2)
    queue = list(waiting)
    deeds = {
        "list": lambda: _expect(client.get("/operations/").status_code == 200),
        "sweep": sweep_up,
        "claim": lambda: _expect(LiveOperation.claim(queue.pop(), 1, "bench") is not None),
    }
    found: dict[str, Any] = {}
    for name, deed in deeds.items():
        deed()
        with CaptureQueriesContext(connection) as queries:
            deed()
        found[f"{name}_scans"] = [plan for query in queries for plan in scans(query["sql"])]
        found[f"{name}_s"] = median(_time(deed) for _ in range(times))
    forget(waiting)
    return found


def _time(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def _expect(as_expected: bool) -> None:
    if not as_expected:
        raise RuntimeError("what was to be timed did not work")


def scans(sql: str) -> list[str]:
    """The lines of a query's plan that read all of one of the engine's tables."""
    if not sql.startswith(("SELECT", "UPDATE")):
        return []
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"))
        plan = [row[0] for row in cursor.fetchall()]
    return [f"{line.strip()} for {sql[:200]}" for line in plan if "Seq Scan on liveops_" in line]


COMMANDS = [
    sign_in,
    start,
    create,
    forget,
    tokens,
    outcome,
    recorded,
    database_bytes,
    fill,
    time_tables,
]
