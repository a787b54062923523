"""Websockets that are refused before the consumer has them."""

import logging
import time
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.http import parse_cookie

from liveops.address import client_address
from liveops.audit import note
from liveops.conf import conf
from liveops.connections import turn_of, waiting
from liveops.metrics import WEBSOCKETS_REFUSED
from liveops.wire import Close

# The key in the scope of a socket's `Place` among those that wait.
PLACE = "liveops.place"
# And of its visitor's `Semaphore`.
TURN = "liveops.turn"
# And of the monotonic time before which nothing was asked about its user.
BEGAN = "liveops.began"


class NotedRefusals:
    """Writes down which handshakes `app`, an origin validator, refuses: it does so in silence."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        accepted = False

        async def note_and_send(message: dict[str, Any]) -> None:
            nonlocal accepted
            accepted = accepted or message["type"] == "websocket.accept"
            if message["type"] == "websocket.close" and not accepted:
                WEBSOCKETS_REFUSED.labels(403).inc()
                note(
                    "websocket refused",
                    address=client_address(scope),
                    level=logging.WARNING,
                    why=message.get("reason", "origin"),
                    origin=header(scope, b"origin"),
                    host=header(scope, b"host"),
                )
            await send(message)

        await self.app(scope, receive, note_and_send)


class LimitedByAddress:
    """Lets so many sockets of one address wait for `app`, until they have subscribed.

    Before the session is read from the database, and in turn, so that a flood of handshakes keeps
    nobody else waiting. The consumer finds the socket's place in the scope, and leaves it; and its
    turn, which it takes again when it subscribes.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        address = client_address(scope)
        place = waiting.take(address, conf.MAX_CONNECTIONS_PER_ADDRESS)
        if place is None:
            code = int(Close.TOO_MANY)
            WEBSOCKETS_REFUSED.labels(code).inc()
            why = "too many connections of one address"
            note("websocket refused", address=address, level=logging.WARNING, code=code, why=why)
            # A browser gets to know the code only after that.
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": code})
            return
        turn = turn_of(visitor_of(scope))
        try:
            await turn.acquire()
            opening = ExitStack()
            opening.callback(turn.release)

            async def send_and_let_others_go_on(message: dict[str, Any]) -> None:
                opening.close()
                await send(message)

            with opening:
                inner = {**scope, PLACE: place, TURN: turn, BEGAN: time.monotonic()}
                await self.app(inner, receive, send_and_let_others_go_on)
        finally:
            place.leave()


def visitor_of(scope: dict[str, Any]) -> str:
    """Tells visitors apart before anybody is asked who they are: by session, else by address."""
    cookies = parse_cookie(header(scope, b"cookie") or "")
    return cookies.get(settings.SESSION_COOKIE_NAME) or client_address(scope)


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """For every path that is none: the router would raise."""
    await send({"type": "websocket.close", "reason": "no such path"})


def header(scope: dict[str, Any], name: bytes) -> str | None:
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if values else None
