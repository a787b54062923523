"""The programs of a contender: started, measured, and ended without leftovers."""

import asyncio
import atexit
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.failures import BenchmarkError
from benchmarks.places import HOST

LOG_TAIL = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether something listens on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


async def wait_until(condition: Callable[[], object], what: str, within: float) -> None:
    """Looks every 10 ms. Raises BenchmarkError when `condition` does not hold in time."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise BenchmarkError(f"Not within {within:g} s: {what}")
        await asyncio.sleep(0.01)


class Process:
    """A program in a process group of its own, which writes to `<folder>/<name>.log`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path,
        cwd: Path,
        env: Mapping[str, str],
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = folder / f"{name}.log"
        self.cwd = cwd
        self.env = dict(env)
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        atexit.register(self.kill)

    @property
    def pid(self) -> int:
        if self._popen is None:
            raise BenchmarkError(f"{self.name} was never started")
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def ask_to_end(self) -> None:
        if self._popen is not None and self.is_running:
            self._popen.terminate()

    def stop(self, within: float = 5) -> None:
        """Ends the program with SIGTERM, and with SIGKILL whatever is left of its group then."""
        self.ask_to_end()
        if self._popen is not None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(within)
        self.kill()

    def kill(self) -> None:
        if self._popen is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._popen = None
        atexit.unregister(self.kill)

    async def wait_for(
        self, condition: Callable[[], object], what: str, within: float = 30
    ) -> None:
        """Like `wait_until`, but fails at once, with the log, when the program has ended."""

        def holds() -> bool:
            if not self.is_running:
                raise BenchmarkError(f"{self.name} ended too early:\n{self.log_tail()}")
            return bool(condition())

        await wait_until(holds, f"{self.name}: {what}, see {self.log}", within)

    def log_tail(self) -> str:
        if not self.log.exists():
            return ""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-LOG_TAIL:])

    def cpu_seconds(self) -> float:
        """What the program and all its descendants, the ended ones too, have computed so far."""
        return cpu_seconds(self.pid)

    def memory(self) -> int:
        """Bytes that this process shares with no other."""
        return int(psutil.Process(self.pid).memory_full_info().uss)

    def memory_of_children(self) -> int:
        children = psutil.Process(self.pid).children()
        return sum(int(child.memory_full_info().uss) for child in children)


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its descendants, in seconds."""
    process = psutil.Process(pid)
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, OSError):
            ended = each.cpu_times()
            # The clock of one process counts nanoseconds, psutil's figures hundredths.
            total += time.clock_gettime(_cpu_clock(each.pid))
            total += ended.children_user + ended.children_system
    return total


def _cpu_clock(pid: int) -> int:
    """What `clock_getcpuclockid(3)` returns on Linux."""
    return (~pid << 3) | 2
