"""Talks with a contender's driver, the process that makes, starts and inspects its operations."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.failures import BenchmarkError

# Hundreds of tokens come in one line.
LONGEST_ANSWER = 2**24


class Driver:
    def __init__(self, command: list[str | Path], *, cwd: Path, env: Mapping[str, str]) -> None:
        self.command = [str(part) for part in command]
        self.cwd = cwd
        self.env = dict(env)
        self._calls = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, log: Path) -> None:
        with log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=self.cwd,
                env=self.env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                limit=LONGEST_ANSWER,
            )

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Raises BenchmarkError with the driver's traceback."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise BenchmarkError(f"{self.command} was not started")
        self._calls += 1
        command = json.dumps({"number": self._calls, "call": name, "with": arguments})
        self._process.stdin.write(f"{command}\n".encode())
        answer: dict[str, Any] = {}
        # A call that was given up may be answered late.
        while answer.get("number") != self._calls:
            text = await self._process.stdout.readline()
            if not text:
                raise BenchmarkError(f"{' '.join(self.command)} ended during {name!r}")
            answer = json.loads(text)
        if "error" in answer:
            raise BenchmarkError(f"{' '.join(self.command)}, {name!r}: {answer['error']}")
        return answer["value"]

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


class NoDriver:
    """For a contender without operations: anything may stand for one."""

    async def call(self, name: str, /, **arguments: Any) -> Any:
        match name:
            case "create":
                return [""] * arguments["count"]
            case "tokens":
                return arguments["ids"]
            case "forget":
                return None
        raise BenchmarkError(f"nothing can {name!r} here")

    def kill(self) -> None:
        """Nothing was started."""
