"""A page's websocket, through the site's own ASGI application, without a server."""

import json
from typing import Any, Self

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from liveops.models import LiveOperation
from liveops.security import make_subscription_token

ORIGIN = b"http://testserver"
# Loading it configures logging once more, which would take the log from the test that does so.
APPLICATION = get_default_application()


class SignedIn:
    """A session of `user`; make it outside of the event loop."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)
        self.key = self.client.session.session_key

    def token(self, operation: LiveOperation) -> str:
        return make_subscription_token(self.user, operation, session_key=self.key)


class Page:
    """`async with Page(session) as page`: connected, not yet subscribed."""

    def __init__(self, session: SignedIn | None, origin: bytes | None = ORIGIN) -> None:
        headers = [] if origin is None else [(b"origin", origin)]
        if session is not None:
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.key}".encode()))
        self.socket = WebsocketCommunicator(APPLICATION, "/ws/liveops/", headers=headers)

    async def __aenter__(self) -> Self:
        connected, _code = await self.socket.connect()
        assert connected
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.socket.disconnect()

    async def say(self, **message: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(message))

    async def subscribe(self, token: str, after: tuple[int, int] | None = None) -> None:
        """Subscribe and take the answer, which must be that it worked."""
        position = None if after is None else {"attempt": after[0], "seq": after[1]}
        await self.say(type="subscribe", token=token, after=position)
        assert await self.hear() == {"type": "authentication", "status": "ok", "protocol": 1}

    async def follow(
        self, session: SignedIn, operation: LiveOperation, after: tuple[int, int] | None = (1, 3)
    ) -> None:
        """Subscribe as a page that has seen all three frames of `watched`."""
        await self.subscribe(session.token(operation), after=after)

    async def ack(self, attempt: int, seq: int) -> None:
        await self.say(type="ack", attempt=attempt, seq=seq)

    async def hear(self) -> dict[str, Any]:
        message = await self.socket.receive_output(timeout=10)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def hears_nothing(self) -> bool:
        return await self.socket.receive_nothing(timeout=0.15)

    async def close_code(self) -> int:
        """The code with which the server closes; whatever it said before is passed over."""
        while True:
            message = await self.socket.receive_output(timeout=10)
            if message["type"] == "websocket.close":
                # Daphne refuses to close with anything else, and the socket would stay open.
                assert type(message["code"]) is int
                return message["code"]


async def push(
    operation: LiveOperation, seq: int, recorded: int | None = None, **frame: Any
) -> str:
    """What a worker sends for a frame; its text is `frame` as JSON."""
    attempt = frame.pop("attempt", operation.attempt)
    text = json.dumps({"type": "frame", "attempt": attempt, "seq": seq, **frame})
    await tell(
        operation,
        type="liveop.frame",
        attempt=attempt,
        seq=seq,
        recorded=seq if recorded is None else recorded,
        state="RUNNING",
        text=text,
    )
    return text


async def tell(operation: LiveOperation, **message: Any) -> None:
    group = operation.get_channel_name()
    await get_channel_layer().group_send(group, {**message, "group": group})


in_database = database_sync_to_async
