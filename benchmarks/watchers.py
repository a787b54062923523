"""Clients that watch an operation over its websocket, and check what they are shown."""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.failures import BenchmarkError

LINE = re.compile(r"line (\d+) (\d+)")
CONNECT_WITHIN = 60.0
SHOWN_WITHIN = 15.0
CONNECTING_AT_ONCE = 20
ACK_EVERY_SECONDS = 0.5
ACK_EVERY_BYTES = 64 * 1024


class Watcher:
    """One page. Times are on the monotonic clock, in nanoseconds.

    `last`: the number of the newest line shown. `shown`: lines that came as text; `passed_over`:
    lines that the page says came before those it shows (it links them). `disorder`: lines that came
    twice or out of order. `latencies`: from the making of each line shown to its arrival, seconds.
    `last_state_at`: when the page was last told the state.
    """

    def __init__(self, address: str, headers: dict[str, str], token: str) -> None:
        self.address = address
        self.headers = headers
        self.token = token
        self.ready = asyncio.Event()
        self.last = self.shown = self.passed_over = self.disorder = 0
        self.latencies: list[float] = []
        self.finished = False
        self.last_line_at = self.last_state_at = self.last_message_at = 0
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and wait until the page would show the state of the operation.

        django-liveops sends the state through the group, where it can get lost: then `is_shown`
        stays false. Raises BenchmarkError when the server closes the socket.
        """
        self._socket = await connect(
            self.address,
            additional_headers=self.headers,
            compression=None,
            max_size=None,
            ping_interval=None,
            proxy=None,
            open_timeout=CONNECT_WITHIN,
        )
        await self.introduce()
        self._reader = asyncio.create_task(self._read(self._socket))
        with suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_WITHIN):
                await self.ready.wait()
        if self._reader.done():
            raise BenchmarkError(f"{self.address} was closed: {self._socket.close_code}")

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        if self._socket is not None:
            self._socket.transport.abort()
            with suppress(ConnectionClosed):
                await self._socket.wait_closed()

    @property
    def is_open(self) -> bool:
        return self._reader is not None and not self._reader.done()

    @property
    def is_shown(self) -> bool:
        """Whether the socket is open, and the page shows a state."""
        return self.is_open and self.last_state_at > 0

    @property
    def accounted_for(self) -> int:
        return self.shown + self.passed_over

    async def send(self, message: dict[str, object]) -> None:
        if self._socket is not None:
            await self._socket.send(json.dumps(message))

    async def introduce(self) -> None:
        """What the page says first."""

    async def take(self, text: str, now: int) -> None:
        """Read a message that arrived at `now`."""
        raise NotImplementedError

    def show_state(self, now: int) -> None:
        self.last_state_at = now
        self.ready.set()

    def take_lines(self, markup: str, now: int) -> None:
        for match in LINE.finditer(markup):
            number, made = int(match[1]), int(match[2])
            if number <= self.last:
                self.disorder += 1
                continue
            self.shown += 1
            self.last = number
            self.last_line_at = now
            self.latencies.append((now - made) / 1e9)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            while True:
                text = await socket.recv(decode=True)
                now = time.monotonic_ns()
                self.last_message_at = now
                await self.take(text, now)
        except ConnectionClosed:
            # Whoever waits for the first message waits in vain.
            self.ready.set()


class SiteWatcher(Watcher):
    """Speaks the generated site's protocol: subscribes with the token, acknowledges frames."""

    acked_at = unacked = 0

    async def introduce(self) -> None:
        await self.send({"type": "subscribe", "token": self.token, "after": None})

    async def take(self, text: str, now: int) -> None:
        message = json.loads(text)
        if message["type"] not in ("frame", "snapshot"):
            return
        if log := message.get("log"):
            self.take_log(log, now)
        self.finished = message["state"] not in ("QUEUED", "RUNNING")
        self.show_state(now)
        await self.acknowledge(message, len(text), now)

    def take_log(self, log: dict[str, object], now: int) -> None:
        first, last, before = int(str(log["first"])), int(str(log["last"])), self.last
        if last <= before:
            return
        if first > before + 1:
            self.passed_over += first - before - 1
        fresh = last - max(before, first - 1)
        shown = self.shown
        self.take_lines(_without_lines_up_to(before, str(log["html"])), now)
        if self.shown - shown != fresh or (fresh and self.last != last):
            self.disorder += 1

    async def acknowledge(self, message: dict[str, object], size: int, now: int) -> None:
        self.unacked += size
        if now - self.acked_at > ACK_EVERY_SECONDS * 1e9 or self.unacked > ACK_EVERY_BYTES:
            self.acked_at, self.unacked = now, 0
            position = {"attempt": message["attempt"], "seq": message["seq"]}
            await self.send({"type": "ack", **position})


class PeerWatcher(Watcher):
    """Reads what django-liveops sends: fragments of HTML, each with one line of the log."""

    async def take(self, text: str, now: int) -> None:
        message = json.loads(text)
        if "liveop_html" in message:
            self.take_lines(message["liveop_html"], now)
            self.show_state(now)
        self.finished |= "liveop_finished" in message


class FloorWatcher(Watcher):
    async def take(self, text: str, now: int) -> None:
        self.show_state(now)


def _without_lines_up_to(number: int, markup: str) -> str:
    """A frame may begin with lines that were shown already; the page drops them."""
    first = markup.find(f'data-line="{number + 1}"') if number else 0
    return markup[max(first, 0) :]


async def open_all(watchers: Sequence[Watcher]) -> None:
    """Open all, some at a time."""
    places = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def open_one(watcher: Watcher) -> None:
        async with places:
            await watcher.open()

    await asyncio.gather(*(open_one(watcher) for watcher in watchers))


async def close_all(watchers: Sequence[Watcher]) -> None:
    await asyncio.gather(*(watcher.close() for watcher in watchers))
