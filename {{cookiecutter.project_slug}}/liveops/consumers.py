"""The websocket: verifies, subscribes, forwards."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from liveops.address import client_address
from liveops.admission import Admitted, Refused, admit, readmit, verify
from liveops.audit import note
from liveops.conf import conf
from liveops.connections import Place, watching
from liveops.failures import DATABASE_UNAVAILABLE, REDIS_UNAVAILABLE
from liveops.follower import Follower
from liveops.fragments import PROTOCOL
from liveops.handshake import PLACE, TURN
from liveops.metrics import FRAME_BYTES, WEBSOCKETS_REFUSED
from liveops.revocation import group_of
from liveops.wire import Ack, Close, Malformed, Subscribe, parse

logger = logging.getLogger(__name__)

AUTHENTICATED = f'{{"type":"authentication","status":"ok","protocol":{PROTOCOL}}}'
# MAX_MESSAGES are counted over so many seconds.
RATE_PERIOD = 10.0
# A session that ends is not asked about more often than this.
SHORTEST_WAIT = 0.2


class LiveOperationConsumer(AsyncWebsocketConsumer):
    """One browser, or API client, that watches one operation."""

    # Whose token it came with; `admitted` says whether that was good.
    user_key: str | None = None
    admitted: Admitted | None = None
    follower: Follower | None = None
    background: asyncio.Task[None] | None = None
    place: Place | None = None
    closing = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Redis may have failed, and no `disconnect` have come.
            if self.background is not None:
                self.background.cancel()
            if self.place is not None:
                self.place.leave()

    async def connect(self) -> None:
        self.address = client_address(self.scope)
        self.joined: list[str] = []
        self.messages, self.counted_since = 0, time.monotonic()
        await self.accept()
        self.background = asyncio.create_task(self.close_unless_subscribed())

    async def disconnect(self, code: int | None) -> None:
        """`code` is None when the connection just broke."""
        if not self.closing:
            self.note_end("websocket closed", logging.INFO, code=code, why="left")
        self.closing = True
        try:
            for group in self.joined:
                await self.channel_layer.group_discard(group, self.channel_name)
        except REDIS_UNAVAILABLE as error:
            logger.info("%s was left without telling Redis: %s", self.joined, error)

    # From the browser

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.closing:
            return
        if len(bytes_data or (text_data or "").encode()) > conf.MAX_CLIENT_MESSAGE:
            await self.refuse(Refused(Close.TOO_BIG, "message too big"))
            return
        await self.unless_refused(self.obey(text_data or ""))

    async def obey(self, text: str) -> None:
        self.count_message()
        try:
            match parse(text):
                case Subscribe() as message if self.admitted is None:
                    async with self.scope[TURN]:
                        await self.subscribe_if_open(message)
                case Ack(position=position) if self.follower is not None:
                    await self.follower.acknowledge(position)
                case message:
                    raise Malformed(f"{type(message).__name__} at the wrong time")
        except Malformed as error:
            raise Refused(Close.MALFORMED, str(error)) from error

    def count_message(self) -> None:
        now = time.monotonic()
        if now - self.counted_since > RATE_PERIOD:
            self.messages, self.counted_since = 0, now
        self.messages += 1
        if self.messages > conf.MAX_MESSAGES:
            raise Refused(Close.TOO_MANY, "too many messages")

    async def subscribe_if_open(self, message: Subscribe) -> None:
        if not self.closing:
            await self.subscribe(message)

    async def subscribe(self, message: Subscribe) -> None:
        claims = verify(message.token)
        self.user_key = claims.user_key
        self.place = watching.take(claims.user_key, conf.MAX_CONNECTIONS_PER_USER)
        if self.place is None:
            raise Refused(Close.TOO_MANY, "too many connections of one user")
        try:
            # Joined before anybody is asked, so that a right which ends meanwhile is heard of.
            await self.join(group_of(claims.user_key))
            admitted = await database_sync_to_async(admit)(claims, self.scope["session"])
            self.admitted = admitted
            # Join first, then read: whatever is reported in between arrives as a frame.
            await self.join(f"liveop.{admitted.operation_id}")
        except (*DATABASE_UNAVAILABLE, *REDIS_UNAVAILABLE) as error:
            raise Refused(Close.OVERLOADED, str(error)) from error
        if self.closing:
            # It took too long.
            return
        if self.background is not None:
            self.background.cancel()
        self.scope[PLACE].leave()
        await self.send(AUTHENTICATED)
        self.follower = Follower(admitted.operation_id, message.after, self.send_if_open)
        await self.follower.begin()
        self.background = asyncio.create_task(self.keep_right())

    async def join(self, group: str) -> None:
        self.joined.append(group)
        await self.channel_layer.group_add(group, self.channel_name)

    # From the workers and the views

    async def liveop_frame(self, event: dict[str, Any]) -> None:
        if self.follower is not None:
            await self.unless_refused(self.follower.take_frame(event))

    async def liveop_heartbeat(self, event: dict[str, Any]) -> None:
        if self.follower is not None:
            await self.unless_refused(self.follower.take_heartbeat(event))

    async def liveop_changed(self, event: dict[str, Any]) -> None:
        if self.follower is not None:
            await self.unless_refused(self.follower.take_change())

    async def liveop_ask_again(self, event: dict[str, Any]) -> None:
        await self.unless_refused(self.ask_again())

    async def liveop_session_ended(self, event: dict[str, Any]) -> None:
        """`session`: the digest of the session that is over."""
        if self.admitted is not None and self.admitted.session == event["session"]:
            await self.refuse(Refused(Close.BAD_TOKEN, "the session has ended"))

    async def liveop_clients_revoked(self, event: dict[str, Any]) -> None:
        if self.admitted is not None and self.admitted.is_client:
            await self.refuse(Refused(Close.TOKEN_EXPIRED, "an API credential was revoked"))

    # Meanwhile

    async def close_unless_subscribed(self) -> None:
        await asyncio.sleep(conf.SUBSCRIBE_WITHIN)
        await self.refuse(Refused(Close.TOO_SLOW, "no subscription in time"))

    async def keep_right(self) -> None:
        """Read the record when nothing comes through Redis, and ask again who is allowed."""
        asked_at = time.monotonic()
        while not self.closing and self.follower is not None:
            left = self.seconds_of_session
            await asyncio.sleep(max(SHORTEST_WAIT, min(conf.HEARTBEAT_EVERY, left)))
            now = time.monotonic()
            if now - asked_at >= conf.REVALIDATE_EVERY or self.seconds_of_session <= 0:
                asked_at = now
                await self.unless_refused(self.ask_again())
            await self.unless_refused(self.follower.look_if_silent())

    async def ask_again(self) -> None:
        if self.admitted is None or self.closing:
            return
        try:
            ask = database_sync_to_async(readmit)
            self.admitted = await ask(self.admitted, self.scope["session"])
        except DATABASE_UNAVAILABLE as error:
            logger.warning("%s could not be asked about: %s", self.admitted.operation_id, error)

    @property
    def seconds_of_session(self) -> float:
        """Until the session ends, as far as is known."""
        ends = self.admitted and self.admitted.session_ends
        return (ends - timezone.now()).total_seconds() if ends else float("inf")

    # The end

    async def unless_refused(self, deed: Awaitable[None]) -> None:
        try:
            await deed
        except Refused as refusal:
            await self.refuse(refusal)

    async def refuse(self, refusal: Refused) -> None:
        if self.closing:
            return
        self.closing = True
        WEBSOCKETS_REFUSED.labels(int(refusal.code)).inc()
        if self.follower is None:
            self.note_end("websocket refused", logging.WARNING, code=refusal.code, why=refusal)
        else:
            self.note_end("websocket closed", logging.INFO, code=refusal.code, why=refusal)
        # Daphne takes nothing but a plain int.
        await self.close(code=int(refusal.code))

    def note_end(self, event: str, level: int, *, code: int | None, why: object) -> None:
        # An enum's own text would be its name.
        number = None if code is None else int(code)
        note(
            event,
            user=self.user_key,
            operation=self.admitted and self.admitted.operation_id,
            address=self.address,
            level=level,
            code=number,
            why=why,
        )

    async def send_if_open(self, text: str) -> None:
        if not self.closing:
            FRAME_BYTES.observe(len(text) if text.isascii() else len(text.encode()))
            await self.send(text)
