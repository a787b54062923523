"""An independent websocket client that watches one operation, as a page does."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.client import SiteClient
from tests.live_view import LiveView
from tests.processes import wait_until

ACK_EVERY_SECONDS = 0.5
ACK_EVERY_BYTES = 64 * 1024
FINISHED = {"SUCCEEDED", "FAILED", "CANCELLED", "LOST"}


class Watcher:
    """Opens the live page, connects, and keeps `view` as the page would show it.

    `disconnect()` and `reconnect()` are a network that goes and comes; a reconnect asks for a
    fresh token and resumes after what was seen. Reading happens in a thread of its own.
    """

    def __init__(self, client: SiteClient, operation_id: str) -> None:
        self.client = client
        self.page = client.live_page(operation_id)
        self.view = LiveView.of_page(self.page)
        self.messages: list[dict[str, Any]] = []
        self.heartbeat: dict[str, Any] = {}
        self.close_code: int | None = None
        self.acknowledges = True
        self._token = self.page.attributes["data-liveop-token"]
        self._connection = ExitStack()
        self._socket: ClientConnection | None = None
        self._reader: threading.Thread | None = None
        self._failure: BaseException | None = None

    def connect(self) -> None:
        """Connects, subscribes with the token at hand and starts to read."""
        address = urlsplit(str(self.client.http.base_url))
        origin: Any = f"{address.scheme}://{address.netloc}"
        socket = connect(
            f"ws://{address.netloc}{self.page.attributes['data-liveop-socket']}",
            origin=origin,
            additional_headers={"Cookie": self.client.cookies},
            max_size=None,
            compression=None,
        )
        self._socket = self._connection.enter_context(socket)
        self.close_code = None
        after = {"attempt": self.view.attempt, "seq": self.view.seq}
        self._send({"type": "subscribe", "token": self._token, "after": after})
        self._reader = threading.Thread(target=self._read, args=[self._socket], daemon=True)
        self._reader.start()

    def disconnect(self) -> None:
        self._connection.close()
        if self._reader is not None:
            self._reader.join(10)

    def reconnect(self) -> None:
        self._token = self.client.fresh_token(self.page)
        self.connect()

    def wait_for(self, condition: Callable[[LiveView], object], within: float = 60) -> LiveView:
        """Waits until the view is as wanted; fails at once when reading has failed."""

        def holds() -> bool:
            if self._failure is not None:
                raise AssertionError(f"The watcher failed: {self._failure}") from self._failure
            return bool(condition(self.view))

        seen = f"{self.view.state} at {self.view.attempt}/{self.view.seq}"
        wait_until(holds, f"the view is as wanted; it began as {seen}", within)
        return self.view

    def wait_until_finished(self, within: float = 60) -> LiveView:
        return self.wait_for(lambda view: view.state in FINISHED, within)

    def _send(self, message: dict[str, Any]) -> None:
        if self._socket is None:
            raise AssertionError("The watcher is not connected")
        self._socket.send(json.dumps(message))

    def _read(self, socket: ClientConnection) -> None:
        acked_at, unacked = time.monotonic(), 0
        try:
            for text in socket:
                self._take(json.loads(text))
                unacked += len(text)
                due = time.monotonic() - acked_at > ACK_EVERY_SECONDS or unacked > ACK_EVERY_BYTES
                if self.acknowledges and due:
                    attempt, seq = self.view.attempt, self.view.seq
                    socket.send(json.dumps({"type": "ack", "attempt": attempt, "seq": seq}))
                    acked_at, unacked = time.monotonic(), 0
        except ConnectionClosed:
            pass
        except (KeyError, ValueError, TypeError) as error:
            self._failure = error
        self.close_code = socket.protocol.close_code

    def _take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        match message["type"]:
            case "frame" | "snapshot":
                self.view.apply(message)
            case "heartbeat":
                self.heartbeat = message
            case "authentication":
                if message["status"] != "ok":
                    raise ValueError(f"not authenticated: {message}")
            case unknown:
                raise ValueError(f"a message of unknown type {unknown!r}")
