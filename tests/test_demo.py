"""`make demo` on a clean copy of the template, with an empty pip cache."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from serving import HOST, answers_healthz, assert_nothing_runs_in, free_port, processes_in
from template import Template

# Seconds, well above the targets, so that a busy machine does not fail the test.
FIRST_START_WITHIN = 300
NEXT_START_WITHIN = 60


@dataclass
class Demo:
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    seconds_to_serve: float

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def account(self) -> tuple[str, str]:
        found = re.search(r"sign in as (\S+) with the password (\S+)", self.output)
        assert found, self.output
        return found[1], found[2]

    def wait_for_output(self, text: str) -> None:
        deadline = time.monotonic() + 10
        while text not in self.output:
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)


@contextmanager
def running_demo(
    root: Path, log: Path, environment: dict[str, str], within: float
) -> Iterator[Demo]:
    port = free_port()
    env = {**environment, "PIP_CACHE_DIR": str(root.parent / "pip-cache"), "PORT": str(port)}
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "demo"],
            cwd=root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not answers_healthz(port):
            text = log.read_text(encoding="utf-8", errors="replace")
            assert process.poll() is None, text
            assert time.monotonic() - started < within, text
            time.sleep(0.1)
        yield Demo(process, port, log, time.monotonic() - started)
    finally:
        for left in processes_in(root):
            left.kill()
        process.wait(timeout=10)


def sign_in(demo: Demo) -> httpx.Response:
    """The page that the printed account sees after it signed in at the printed address."""
    demo.wait_for_output(f"http://{HOST}:{demo.port}/")
    with httpx.Client(
        base_url=f"http://{HOST}:{demo.port}", follow_redirects=True, trust_env=False
    ) as client:
        page = client.get("/")
        assert page.url.path == "/accounts/login/"
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, page.text
        user, password = demo.account
        return client.post(
            str(page.url),
            data={"csrfmiddlewaretoken": token[1], "username": user, "password": password},
        )


@pytest.fixture(scope="module")
def clone(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.copy(tmp_path_factory.mktemp("demo") / "liveops-template").root


def test_demo_serves_a_page_to_the_printed_account_and_leaves_no_process(
    clone: Path,
    tmp_path: Path,
    user_environment: dict[str, str],
    report: Callable[[str], None],
) -> None:
    with running_demo(clone, tmp_path / "log", user_environment, FIRST_START_WITHIN) as demo:
        report(
            f"make demo, empty pip cache: served after {demo.seconds_to_serve:.0f} s (target: 90 s)"
        )
        page = sign_in(demo)
        assert page.status_code == 200
        assert page.url.path == "/"
        assert "Import contacts" in page.text
        sample = re.search(r"a file to import: (\S+)", demo.output)
        assert sample
        assert (clone / sample[1]).is_file()
        demo.process.send_signal(signal.SIGTERM)
        demo.process.wait(timeout=30)
        assert_nothing_runs_in(clone)


def test_demo_starts_again_in_seconds_with_the_same_account_and_obeys_ctrl_c(
    clone: Path,
    tmp_path: Path,
    user_environment: dict[str, str],
    report: Callable[[str], None],
) -> None:
    assert (clone / "build/demo-password").is_file(), "the first start has not come this far"
    account_file = (clone / "build/demo-password").read_text(encoding="utf-8")
    with running_demo(clone, tmp_path / "log", user_environment, NEXT_START_WITHIN) as demo:
        report(f"make demo again: served after {demo.seconds_to_serve:.0f} s")
        assert sign_in(demo).url.path == "/"
        assert demo.account[1] == account_file
        # Ctrl-C reaches everything in the terminal's foreground group.
        os.killpg(demo.process.pid, signal.SIGINT)
        demo.process.wait(timeout=30)
        assert_nothing_runs_in(clone)


def test_ending_it_while_it_installs_leaves_no_process(template: Template, tmp_path: Path) -> None:
    root = template.copy(tmp_path / "liveops-template").root
    process = subprocess.Popen(
        ["make", "demo", f"PORT={free_port()}"],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (root / "build/venv/bin/python").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert_nothing_runs_in(root)


def test_a_port_that_is_taken_is_named_before_anything_is_made(
    template: Template, tmp_path: Path
) -> None:
    root = template.copy(tmp_path / "liveops-template").root
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = make_demo(root, port)
    assert result.returncode != 0
    assert f"Port {port} is taken" in result.stderr
    assert "make demo PORT=" in result.stderr
    assert not (root / "build").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http", "80 80"])
def test_a_port_that_is_none_is_named(template: Template, port: str) -> None:
    result = make_demo(template.root, port)
    assert result.returncode != 0
    assert f"'{port}' is no port" in result.stderr


def make_demo(root: Path, port: object) -> subprocess.CompletedProcess[str]:
    command = ["make", "demo", f"PORT={port}"]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
