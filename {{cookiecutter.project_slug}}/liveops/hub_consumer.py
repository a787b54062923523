"""A websocket as a member of the hub: what it hears, one thing after the other, and how it ends."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from liveops.admission import Refused
from liveops.connections import Place
from liveops.failures import REDIS_UNAVAILABLE
from liveops.hub import current_hub
from liveops.metrics import FRAME_BYTES, WEBSOCKETS_REFUSED
from liveops.wire import Close

logger = logging.getLogger(__name__)


class HubConsumer(AsyncWebsocketConsumer):
    """A consumer without a channel of its own: what workers and views say comes through the hub,
    waits in `inbox`, and is worked off by a task that lives as long as there is something to do.
    """

    # Whose token it came with; whether that was good is another question.
    user_key: str | None = None
    channel = ""
    place: Place | None = None
    too_slow: asyncio.TimerHandle | None = None
    work: asyncio.Task[None] | None = None
    closing = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        self.inbox: deque[dict[str, Any]] = deque()
        self.hub = current_hub()
        # Before anything is received, so that who wraps this may try it again.
        await self.hub.open()
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            # No `disconnect` may have come.
            if self.work is not None:
                self.work.cancel()
            await self.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels would go through another thread for each message, to close old connections to
        the database; what uses one here closes it itself.
        """
        await getattr(self, get_handler_name(message))(message)

    # What a kind of consumer says of itself

    @property
    def is_subscribed(self) -> bool:
        """What comes before the subscription is complete waits for it."""
        raise NotImplementedError

    def note_end(self, event: str, level: int, *, code: int | None, why: object) -> None:
        raise NotImplementedError

    def look_at_the_clock(self, now: float) -> None:
        raise NotImplementedError

    # What is heard

    def hear(self, message: dict[str, Any]) -> None:
        if not self.closing:
            self.inbox.append(message)
            self.work_soon()

    def work_soon(self) -> None:
        if self.inbox and self.work is None and self.is_subscribed and not self.closing:
            self.work = asyncio.create_task(self.work_off())

    async def work_off(self) -> None:
        try:
            while self.inbox and not self.closing:
                await self.unless_refused(self.dispatch(self.inbox.popleft()))
        except Exception:  # nobody waits for this task, so nobody else would notice
            logger.exception("a socket of %s cannot go on", self.channel)
            await self.refuse(Refused(Close.FAILED, "an error in the site"))
        finally:
            self.work = None

    async def send_if_open(self, text: str) -> None:
        if not self.closing:
            FRAME_BYTES.observe(len(text) if text.isascii() else len(text.encode()))
            await self.send(text)

    # The end

    async def unless_refused(self, deed: Awaitable[None]) -> None:
        try:
            await deed
        except Refused as refusal:
            await self.refuse(refusal)

    def refuse_soon(self) -> None:
        too_slow = Refused(Close.TOO_SLOW, "no subscription in time")
        self.work = asyncio.create_task(self.refuse(too_slow))

    async def refuse(self, refusal: Refused) -> None:
        if self.closing:
            return
        self.closing = True
        WEBSOCKETS_REFUSED.labels(int(refusal.code)).inc()
        if self.is_subscribed:
            self.note_end("websocket closed", logging.INFO, code=refusal.code, why=refusal)
        else:
            self.note_end("websocket refused", logging.WARNING, code=refusal.code, why=refusal)
        # Daphne takes nothing but a plain int.
        await self.close(code=int(refusal.code))
        await self.leave()

    async def disconnect(self, code: int | None) -> None:
        """`code` is None when the connection just broke."""
        if not self.closing:
            self.note_end("websocket closed", logging.INFO, code=code, why="left")
        self.closing = True
        await self.leave()

    async def leave(self) -> None:
        """Can be called again."""
        if self.too_slow is not None:
            self.too_slow.cancel()
        if self.place is not None:
            self.place.leave()
        if self.user_key is not None:
            self.hub.go(self.user_key, self)
        try:
            await self.hub.leave(self.channel, self)
        except REDIS_UNAVAILABLE as error:
            logger.info("%s was left without telling Redis: %s", self.channel, error)
