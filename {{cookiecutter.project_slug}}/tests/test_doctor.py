"""`manage.py doctor` finds nothing on a running site, and names what is broken on another one."""

import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import pytest
from celery import current_app
from django.core.cache import cache
from redis import Redis

from liveops.doctor import clocks
from liveops.doctor.diagnosis import Wrong
from tests.databases import Postgres
from tests.processes import PYTHON, SITE, Process, accepts
from tests.services import ALONE, CELERY, Stack

# They stop and starve the parts of a site, one after the other, which takes minutes.
pytestmark = pytest.mark.faults

LINE = re.compile(r"(ok|warning|wrong|unknown) +([^:]+): (.*)")
PASSWORD = "s3cret/with:odd@signs"
QUOTED = "s3cret%2Fwith%3Aodd%40signs"

on_sqlite = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("running_stack", ["postgres"], indirect=True)


@dataclass
class Report:
    code: int
    # name of the check → (verdict, what)
    lines: dict[str, tuple[str, str]]
    text: str

    def named(self, verdict: str) -> set[str]:
        return {name for name, (found, _what) in self.lines.items() if found == verdict}

    def what(self, name: str) -> str:
        return self.lines[name][1]


def doctor(stack: Stack, before: str = "", **env: str) -> Report:
    """Run it in a shell, after the shell command `before`."""
    command = f"{before or ':'}; exec {shlex.quote(PYTHON)} manage.py doctor"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=SITE,
        env={**stack.env, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    text = done.stdout + done.stderr
    found = map(LINE.match, done.stdout.splitlines())
    lines = {match[2]: (match[1], match[3]) for match in found if match}
    assert len(lines) == 14, text
    return Report(done.returncode, lines, text)


@contextmanager
def without(stack: Stack, *processes: Process) -> Iterator[None]:
    """While these processes are stopped; afterwards all of them serve again."""
    for process in processes:
        process.stop()
    try:
        yield
    finally:
        ready = stack.worker.log.read_text().count(" ready.")
        for process in processes:
            process.start()
        if stack.redis in processes:
            stack.redis.wait_for(lambda: accepts(stack.redis_port), "accepts connections")
        if stack.worker in processes:
            stack.worker.wait_for(
                lambda: stack.worker.log.read_text().count(" ready.") > ready, "takes messages"
            )


def remember(event: str, seconds_ago: float) -> None:
    cache.set(f"liveops:time:{event}", time.time() - seconds_ago)


def test_a_running_site_is_well(stack: Stack) -> None:
    report = doctor(stack)
    assert report.code == 0, report.text
    assert report.named("warning") <= {"Database"}  # SQLite in production
    assert not report.named("wrong") | report.named("unknown")
    with Redis.from_url(stack.redis_url) as redis:
        assert not [key for key in redis.keys("*") if b"doctor" in key]


@on_sqlite
def test_redis_is_stopped(stack: Stack) -> None:
    with without(stack, stack.redis, stack.worker, stack.beat):
        report = doctor(stack)
    assert report.code == 1
    assert report.named("wrong") == {"Broker", "Channel layer", "Cache"}
    assert report.named("unknown") == {"Worker", "Beat", "Sweeps", "Redis clock"}
    for name in report.named("wrong"):
        assert "Connection refused" in report.what(name) or "Connect call" in report.what(name)
    assert "→ Start Redis" in report.text


@on_sqlite
def test_redis_hangs(stack: Stack) -> None:
    stack.redis.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        report = doctor(stack)
        took = time.monotonic() - began
    finally:
        stack.redis.signal(signal.SIGCONT)
    assert report.named("wrong") == {"Broker", "Channel layer", "Cache"}
    assert "no answer within 10 s" in report.what("Broker")
    assert took < 60


@on_sqlite
def test_no_worker_runs(stack: Stack) -> None:
    with without(stack, stack.worker):
        report = doctor(stack)
        assert report.code == 1
        assert report.named("wrong") == {"Worker"}
        assert "none answered within 3 s" in report.what("Worker")
        assert "→ Start one with `celery -A config worker`" in report.text
        assert report.named("unknown") == {"Sweeps"}


@on_sqlite
def test_the_only_worker_takes_messages_from_another_queue(stack: Stack) -> None:
    worker = Process(
        "other-worker",
        [*CELERY, "worker", "--pool", "solo", "--queues", "other", *ALONE],
        stack.env,
        stack.folder,
    )
    with without(stack, stack.worker):
        worker.start()
        try:
            worker.wait_for(lambda: " ready." in worker.log_tail(), "takes messages")
            report = doctor(stack)
        finally:
            worker.stop()
    assert report.named("wrong") == {"Worker"}
    assert "takes messages from celery, heavy, only from other" in report.what("Worker")
    assert "`celery -A config worker --queues celery,heavy`" in report.text


@on_sqlite
def test_no_worker_takes_from_the_queue_of_a_kind(stack: Stack) -> None:
    worker = Process(
        "default-worker",
        [*CELERY, "worker", "--pool", "solo", "--queues", "celery", "--loglevel", "INFO", *ALONE],
        stack.env,
        stack.folder,
    )
    with without(stack, stack.worker):
        worker.start()
        try:
            worker.wait_for(lambda: " ready." in worker.log_tail(), "takes messages")
            report = doctor(stack)
        finally:
            worker.stop()
    assert report.named("wrong") == {"Worker"}
    assert "messages from heavy, only from celery; " in report.what("Worker")
    assert report.what("Worker").endswith("so these wait for ever: kinds.heavy")
    assert "`celery -A config worker --queues heavy`" in report.text


@on_sqlite
def test_the_scheduler_is_stopped(stack: Stack) -> None:
    with without(stack, stack.beat):
        remember("beat", seconds_ago=300)
        report = doctor(stack)
    assert report.named("wrong") == {"Beat"}
    assert re.fullmatch(r"it sent no sweep for 3\d\d s", report.what("Beat"))
    assert "`celery -A config beat`" in report.text
    assert report.named("unknown") == {"Sweeps"}


@on_sqlite
def test_the_scheduler_sends_sweeps_that_no_worker_runs(stack: Stack) -> None:
    children = psutil.Process(stack.worker.pid).children()
    for child in children:
        child.suspend()
    try:
        remember("sweep", seconds_ago=300)
        report = doctor(stack)
    finally:
        for child in children:
            child.resume()
    assert report.named("wrong") == {"Sweeps"}
    assert re.fullmatch(r"no worker ran one for 3\d\d s", report.what("Sweeps"))
    assert "--concurrency" in report.text


@on_postgres
def test_the_database_is_away(stack: Stack) -> None:
    assert isinstance(stack.database, Postgres)
    stack.database.pause()
    try:
        report = doctor(stack)
    finally:
        stack.database.resume()
    assert report.code == 1
    assert report.named("wrong") == {"Database"}
    assert "Connection refused" in report.what("Database")
    assert "→ Start the database server, or correct DATABASE_URL." in report.text
    assert report.named("unknown") == {"Migrations", "Database clock"}


@on_postgres
def test_no_room_on_the_disk_no_collected_files_and_a_key_from_an_example(stack: Stack) -> None:
    no_room = "ulimit -f 0"  # even root cannot write a byte then
    folder = str(stack.folder / "empty")
    report = doctor(stack, before=no_room, VAR_DIR=folder, SECRET_KEY="changeme")
    assert report.named("wrong") == {"Secrets", "Static files", "Media"}
    assert f"{folder}/static: there is no staticfiles.json" in report.what("Static files")
    assert "collectstatic" in report.text
    assert f"{folder}/media: " in report.what("Media")
    assert "File too large" in report.what("Media")
    assert "one for development" in report.what("Secrets")
    assert "changeme" not in report.text


@on_sqlite
def test_no_secret_is_shown(stack: Stack) -> None:
    address = f"redis://user:{QUOTED}@127.0.0.1:1/0"
    report = doctor(
        stack,
        DATABASE_URL=f"postgres://someone:{QUOTED}@127.0.0.1:1/site?connect_timeout=3",
        REDIS_URL=address,
        BROKER_URL=address,
    )
    assert report.named("wrong") == {"Database", "Broker", "Channel layer", "Cache"}
    assert "redis://user:***@127.0.0.1:1/0" in report.what("Broker")
    for secret in (PASSWORD, QUOTED, stack.env["SECRET_KEY"]):
        assert secret not in report.text


@on_sqlite
def test_migrations_that_were_not_applied(stack: Stack) -> None:
    report = doctor(stack, DATABASE_URL=f"sqlite:///{stack.folder}/fresh.sqlite3")
    assert report.named("wrong") == {"Migrations"}
    assert "not applied: " in report.what("Migrations")
    assert "→ Run `python manage.py migrate`." in report.text


def test_clocks_that_differ(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "now", lambda: time.time() + 60)
    monkeypatch.setitem(current_app.conf, "broker_write_url", stack.redis_url)
    checks = [clocks.check_redis_clock]
    if isinstance(stack.database, Postgres):
        checks.append(clocks.check_database_clock)
    for check in checks:
        with pytest.raises(Wrong, match=r"it is 60\.0 s behind this host's"):
            check()
