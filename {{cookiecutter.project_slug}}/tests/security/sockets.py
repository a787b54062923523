"""Websockets that do not behave: each may come with any origin, cookie and first message."""

import json
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

ANSWER_WITHIN = 20.0
OK = "ok"


class Socket:
    """An open connection, not yet subscribed. `origin` is by default the site's own.

    Raises websockets' InvalidStatus when the handshake is refused.
    """

    def __init__(
        self,
        base_url: str,
        cookie: str = "",
        *,
        origin: str | None = "",
        path: str = "/ws/liveops/",
        headers: dict[str, str] | None = None,
    ) -> None:
        sent: Any = base_url if origin == "" else origin
        self._open = ExitStack()
        opening = connect(
            base_url.replace("http", "ws", 1) + path,
            origin=sent,
            additional_headers={**({"Cookie": cookie} if cookie else {}), **(headers or {})},
            compression=None,
            max_size=None,
            open_timeout=ANSWER_WITHIN,
            close_timeout=0.2,
            ping_interval=None,
            proxy=None,
        )
        self.connection: ClientConnection = self._open.enter_context(opening)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self, within: float = ANSWER_WITHIN) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=within))
        return message

    def subscribe(self, token: str) -> str:
        """`ok`, or the code with which the socket is closed instead."""
        self.say(type="subscribe", token=token)
        try:
            message = self.hear()
        except ConnectionClosed:
            return str(self.connection.close_code)
        assert message == {"type": "authentication", "status": "ok", "protocol": 1}
        return OK

    def close_code(self, within: float = ANSWER_WITHIN) -> int | None:
        """The code with which the server closes; whatever it says before is passed over."""
        try:
            while True:
                self.connection.recv(timeout=within)
        except ConnectionClosed:
            return self.connection.close_code


def answer_to(
    base_url: str, cookie: str, token: str, *, path: str = "/ws/liveops/", origin: str | None = ""
) -> str:
    """What a socket gets that subscribes with this token: `ok`, a close code, or the status with
    which its handshake is refused.
    """
    try:
        with Socket(base_url, cookie, path=path, origin=origin) as socket:
            return socket.subscribe(token)
    except InvalidStatus as refused:
        return str(refused.response.status_code)
