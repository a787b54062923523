"""Real processes for tests: started with a log file, and ended whatever happens."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

SITE = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def answers(url: str) -> bool:
    """Whether `url` is answered with 200."""
    try:
        return httpx.get(url, timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def wait_until(condition: Callable[[], object], what: str, within: float = 30) -> None:
    """Polls `condition` every 50 ms; fails when it has not held `within` so many seconds."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"Not within {within:g} s: {what}")
        time.sleep(0.05)


class Process:
    """A program that runs in a process group of its own, with its output in `log`."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.command = list(command)
        self.env = dict(env)
        self.log = folder / f"{name}.log"
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                env=self.env,
                cwd=SITE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # For a run that is interrupted while it cleans up.
        atexit.register(self.kill)

    @property
    def pid(self) -> int:
        if self._popen is None:
            raise AssertionError(f"{self.name} was never started")
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process itself, as an operator would."""
        os.kill(self.pid, number)

    def stop(self, within: float = 10) -> None:
        """Ends the process with SIGTERM, and with SIGKILL whatever is left of its group then."""
        if self._popen is None:
            return
        if self.is_running:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(within)
        self.kill()

    def kill(self) -> None:
        """Ends the process and its children at once, with SIGKILL."""
        if self._popen is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        atexit.unregister(self.kill)

    def wait_for(self, condition: Callable[[], object], what: str, within: float = 30) -> None:
        """Like `wait_until`, but fails at once, with the log, when the process has ended."""

        def holds() -> bool:
            if not self.is_running:
                raise AssertionError(f"{self.name} ended too early:\n{self.log_tail()}")
            return bool(condition())

        wait_until(holds, f"{self.name}: {what}", within)

    def log_tail(self, lines: int = 60) -> str:
        if not self.log.exists():
            return ""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])
