"""`make run`: one command starts everything, and whatever ends it leaves nothing behind."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.processes import HOST, PYTHON, Process, answers, free_port, wait_until

pytestmark = pytest.mark.integration


class Site(Process):
    """dev.py on a free port, with files of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        env = {
            **os.environ,
            "VAR_DIR": str(folder),
            "DATABASE_URL": "",
            "MEDIA_ROOT": "",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LOG_LEVEL": "INFO",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        command = [PYTHON, "dev.py", "--port", str(port), "--workers", "1"]
        super().__init__("dev", command, env, folder)
        self.port = port

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def serves(self) -> bool:
        return answers(f"http://{HOST}:{self.port}/healthz")

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        return next(child for child in self.descendants() if word in " ".join(child.cmdline()))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, free_port())
    site.start()
    started: list[psutil.Process] = []
    try:
        site.wait_for(lambda: site.serves() and " ready." in site.output, "the site serves", 60)
        started = site.descendants()
        yield site
    finally:
        site.stop()
        for process in started:
            if process.is_running():
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_ends_without_leaving_a_process(site: Site, number: signal.Signals) -> None:
    started = site.descendants()
    for word in ("daphne", "worker", "beat", "redis"):
        assert site.child(word).is_running()
    site.signal(number)
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    wait_until(lambda: not site.is_running, "dev.py ends", within=5)


def test_it_says_where_the_site_is_and_which_redis_it_found(site: Site) -> None:
    wait_until(lambda: "The site is ready" in site.output, "the address is shown")
    assert f"http://{HOST}:{site.port}/" in site.output
    assert "Redis: " in site.output


def test_redis_is_reachable_from_this_machine_only(site: Site) -> None:
    redis = site.child("redis")
    listening = [c for c in redis.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {c.laddr.ip for c in listening} == {HOST}


def test_a_killed_part_ends_everything_and_is_named(site: Site) -> None:
    started = site.descendants()
    site.child("beat").kill()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    wait_until(lambda: not site.is_running, "dev.py ends", within=5)
    assert "beat ended by itself" in site.output


def test_a_busy_port_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        site = Site(tmp_path, other.getsockname()[1])
        site.start()
        wait_until(lambda: not site.is_running, "dev.py gives up", within=20)
    assert f"Port {site.port} is taken" in site.output
    assert f"--port {site.port + 1}" in site.output
    assert len(site.output.splitlines()) == 1
