"""Lets Daphne close a websocket with every code that the protocol knows.

Its library refuses 1009 and 1013 to applications: it raises, and leaves the connection open.
"""

from typing import Any

from daphne.ws_protocol import WebSocketProtocol


def close_with(self: Any, code: int | None = None) -> None:
    self.sendCloseFrame(code=1000 if code is None else int(code))


def allow_every_code() -> None:
    WebSocketProtocol.serverClose = close_with
