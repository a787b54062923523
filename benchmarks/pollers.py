"""Pages that poll, as celery-progress' script does: half a second after each answer."""

import asyncio
import json

from benchmarks.failures import BenchmarkError
from benchmarks.places import HOST

POLL_EVERY = 0.5
ANSWER_WITHIN = 30.0


class Poller:
    """One page with a connection that it keeps. `polls` counts the answers."""

    def __init__(self, port: int, path: str) -> None:
        self.port = port
        self.request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        self.polls = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def poll_for_ever(self, begin_after: float) -> None:
        await asyncio.sleep(begin_after)
        try:
            while True:
                # Not `wait_for()`, which in Python 3.11 may lose a cancellation.
                async with asyncio.timeout(ANSWER_WITHIN):
                    await self._poll()
                await asyncio.sleep(POLL_EVERY)
        finally:
            self._close()

    async def _poll(self) -> None:
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self.port)
        reader, writer = self._streams
        writer.write(self.request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        body = await reader.readexactly(int(fields["content-length"]))
        if " 200 " not in head.splitlines()[0] or "state" not in json.loads(body):
            raise BenchmarkError(f"a poll was answered with {head.splitlines()[0]}: {body!r}")
        self.polls += 1
        if fields.get("connection") == "close":
            self._close()

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
