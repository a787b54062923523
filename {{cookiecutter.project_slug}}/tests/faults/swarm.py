"""Many open pages at once: websocket clients on one event loop, in a thread of their own.

Each behaves as the browser's code does: a fresh token before each connection but the first,
backoff with full jitter, acknowledgements, an end at the final close codes.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.client import SiteClient
from tests.live_page import LivePage
from tests.live_view import LiveView
from tests.processes import wait_until

BACKOFF_BASE = 0.5
BACKOFF_CAP = 30.0
SETTLED_AFTER = 5.0
ACK_EVERY_SECONDS = 0.5
ACK_EVERY_BYTES = 64 * 1024
FINAL_CODES = {4401, 4403, 4404}
ANSWER_WITHIN = 20.0


class SwarmPage:
    """One page; `view` is what it shows."""

    def __init__(self, client: SiteClient, page: LivePage) -> None:
        self.view = LiveView.of_page(page)
        self.connected = False
        self.connections = 0
        self.close_codes: list[int | None] = []
        self.failures: list[str] = []
        self._page = page
        self._origin = str(client.http.base_url).rstrip("/")
        self._headers = {"Cookie": client.cookies, "Referer": f"{self._origin}/"}
        self._tls = client.tls
        self._connected_at = 0.0

    async def stay(self, http: httpx.AsyncClient) -> None:
        """Connects, again and again, until the server says no for good."""
        failures = 0
        while not (self.close_codes and self.close_codes[-1] in FINAL_CODES):
            try:
                await self._watch(await self._fetch_token(http))
            except (OSError, httpx.HTTPError, InvalidHandshake) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            if self._connected_at and time.monotonic() - self._connected_at > SETTLED_AFTER:
                failures = 0
            self._connected_at = 0.0
            jitter = random.random()  # noqa: S311 (no secret)
            await asyncio.sleep(jitter * min(BACKOFF_CAP, BACKOFF_BASE * 2**failures))
            failures += 1

    async def _fetch_token(self, http: httpx.AsyncClient) -> str:
        csrf = {"X-CSRFToken": self._page.attributes["data-liveop-csrf"]}
        url = self._origin + self._page.attributes["data-liveop-token-url"]
        answer = await http.post(url, headers={**self._headers, **csrf})
        answer.raise_for_status()
        return str(answer.json()["token"])

    async def _watch(self, token: str) -> None:
        origin: Any = self._origin
        socket = await connect(
            self._origin.replace("http", "ws", 1) + self._page.attributes["data-liveop-socket"],
            origin=origin,
            additional_headers=self._headers,
            ssl=self._tls,
            max_size=None,
            compression=None,
            open_timeout=ANSWER_WITHIN,
            close_timeout=1,
            ping_interval=None,
            proxy=None,
        )
        try:
            after = {"attempt": self.view.attempt, "seq": self.view.seq}
            await socket.send(json.dumps({"type": "subscribe", "token": token, "after": after}))
            await self._read(socket)
        except ConnectionClosed:
            self.close_codes.append(socket.close_code)
        finally:
            self.connected = False
            await socket.close()

    async def _read(self, socket: ClientConnection) -> None:
        acked_at, unacked = time.monotonic(), 0
        while True:
            text = await socket.recv()
            message = json.loads(text)
            match message["type"]:
                case "authentication":
                    self.connected = True
                    self.connections += 1
                    self._connected_at = time.monotonic()
                case "frame" | "snapshot":
                    self.view.apply(message)
            unacked += len(text)
            due = time.monotonic() - acked_at > ACK_EVERY_SECONDS or unacked > ACK_EVERY_BYTES
            if due and self.connected:
                position = {"attempt": self.view.attempt, "seq": self.view.seq}
                await socket.send(json.dumps({"type": "ack", **position}))
                acked_at, unacked = time.monotonic(), 0


class Swarm:
    """`size` pages of the operation, spread over the members. A context manager."""

    def __init__(self, members: list[SiteClient], operation_id: str, size: int) -> None:
        opened = [(member, member.live_page(operation_id)) for member in members]
        self.pages = [SwarmPage(*opened[number % len(opened)]) for number in range(size)]
        self._tls = members[0].tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._all: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._all is not None:
            with suppress(RuntimeError):  # every page has ended, and the loop with them
                self._loop.call_soon_threadsafe(self._all.cancel)
        self._thread.join(30)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._stay())
            except asyncio.CancelledError:
                pass
            except Exception as error:  # noqa: BLE001 (handed to the test, in wait_for)
                self._failure = error

    async def _stay(self) -> None:
        self._all = asyncio.current_task()
        limits = httpx.Limits(max_connections=40)
        async with (
            httpx.AsyncClient(
                timeout=ANSWER_WITHIN, limits=limits, verify=self._tls or True
            ) as http,
            asyncio.TaskGroup() as group,
        ):
            for page in self.pages:
                group.create_task(page.stay(http))

    # What a test asks

    def wait_for(
        self, condition: Callable[[SwarmPage], object], what: str, within: float = 60
    ) -> None:
        """Waits until every page is as wanted; fails at once when a page has failed."""

        def holds() -> bool:
            if self._failure is not None:
                raise AssertionError(f"A page failed: {self._failure!r}") from self._failure
            return all(condition(page) for page in self.pages)

        try:
            wait_until(holds, what, within)
        except AssertionError as error:
            wrong = [page for page in self.pages if not condition(page)]
            error.add_note(f"{len(wrong)} of {len(self.pages)} pages; {describe(wrong[:1])}")
            raise

    def wait_until_connected(self, within: float = 60) -> None:
        self.wait_for(lambda page: page.connected, "every page is connected", within)


def describe(pages: list[SwarmPage]) -> str:
    return "; ".join(
        f"{page.view.state} at {page.view.attempt}/{page.view.seq}, connected {page.connected}, "
        f"closed with {page.close_codes}, failures {page.failures[-3:]}"
        for page in pages
    )
