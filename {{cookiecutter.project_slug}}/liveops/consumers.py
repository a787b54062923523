"""The websocket: verifies, subscribes, forwards."""

import asyncio
import logging
import time
import uuid
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from liveops.admission import Refused, admit, readmit
from liveops.conf import conf
from liveops.failures import DATABASE_UNAVAILABLE, REDIS_UNAVAILABLE
from liveops.flow import Window
from liveops.fragments import PROTOCOL, heartbeat
from liveops.hints import seconds_silent
from liveops.models import LiveOperation, State
from liveops.record import Position, catch_up
from liveops.wire import Ack, Close, Malformed, Subscribe, parse

logger = logging.getLogger(__name__)

AUTHENTICATED = f'{{"type":"authentication","status":"ok","protocol":{PROTOCOL}}}'
# A page acknowledges about twice a second; nobody needs to say more than this in ten seconds.
MAX_MESSAGES = 300
PER_SECONDS = 10.0


class LiveOperationConsumer(AsyncWebsocketConsumer):
    """One browser that watches one operation.

    `position` is what was sent last. Frames at or below it are dropped, a gap above it is filled
    from the record; when the record is behind the frames, the frames go out all the same and a
    snapshot follows (`owes_snapshot`) once it has caught up.
    """

    position: Position
    operation_id: uuid.UUID | None = None

    async def connect(self) -> None:
        self.lock = asyncio.Lock()
        self.window = Window(conf.MAX_UNACKNOWLEDGED)
        self.lagging = self.owes_snapshot = self.closing = False
        self.operation: LiveOperation | None = None
        self.state = self.group = ""
        self.heard_at = time.monotonic()
        self.messages, self.counted_since = 0, time.monotonic()
        await self.accept()
        self.background = asyncio.create_task(self.close_unless_subscribed())

    async def disconnect(self, code: int) -> None:
        self.closing = True
        self.background.cancel()
        if self.group:
            try:
                await self.channel_layer.group_discard(self.group, self.channel_name)
            except REDIS_UNAVAILABLE as error:
                logger.info("%s was left without telling Redis: %s", self.group, error)

    # From the browser

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.closing:
            return
        if len(bytes_data or (text_data or "").encode()) > conf.MAX_CLIENT_MESSAGE:
            await self.refuse(Refused(Close.TOO_BIG, "message too big"))
            return
        try:
            self.count_message()
            message = parse(text_data or "")
            if isinstance(message, Subscribe):
                await self.subscribe(message)
            else:
                await self.acknowledge(message)
        except Malformed as error:
            await self.refuse(Refused(Close.MALFORMED, str(error)))
        except Refused as refusal:
            await self.refuse(refusal)

    def count_message(self) -> None:
        now = time.monotonic()
        if now - self.counted_since > PER_SECONDS:
            self.messages, self.counted_since = 0, now
        self.messages += 1
        if self.messages > MAX_MESSAGES:
            raise Refused(Close.TOO_MANY, "too many messages")

    async def subscribe(self, message: Subscribe) -> None:
        if self.operation_id is not None:
            raise Malformed("subscribed already")
        session = self.scope["session"]
        try:
            operation_id = await database_sync_to_async(admit)(message.token, session)
            # Join first, then read: whatever is reported in between arrives as a frame.
            self.group = f"liveop.{operation_id}"
            await self.channel_layer.group_add(self.group, self.channel_name)
        except (*DATABASE_UNAVAILABLE, *REDIS_UNAVAILABLE) as error:
            raise Refused(Close.OVERLOADED, str(error)) from error
        self.operation_id = operation_id
        self.background.cancel()
        await self.send(AUTHENTICATED)
        async with self.lock:
            self.position = message.after or Position(0, 0)
            await self.send_what_is_missing(resume=True)
            await self.tell_age(if_silent=True)
        self.background = asyncio.create_task(self.keep_right())

    async def acknowledge(self, message: Ack) -> None:
        if self.operation_id is None:
            raise Malformed("not subscribed yet")
        async with self.lock:
            self.window.acknowledged(message.position)
            if self.lagging and not self.window.is_full:
                await self.send_what_is_missing()

    async def refuse(self, refusal: Refused) -> None:
        self.closing = True
        client = (self.scope.get("client") or ["?"])[0]
        logger.warning("websocket of %s closed with %d: %s", client, refusal.code, refusal)
        # Daphne takes nothing but a plain int.
        await self.close(code=int(refusal.code))

    # From the workers

    async def liveop_frame(self, event: dict[str, Any]) -> None:
        """`attempt`, `seq`, `state`, `recorded` (the newest seq in the record), `text`."""
        async with self.lock:
            at = self.note(event)
            if self.owes_snapshot and event["recorded"] >= self.position.seq:
                await self.send_what_is_missing(whole=True)
            elif at > self.next_position:
                await self.send_what_is_missing()
            if at > self.position and not self.lagging:
                # What is missing now is not in the record yet.
                self.owes_snapshot |= at != self.next_position
                await self.send_at(at, event["text"])

    async def liveop_heartbeat(self, event: dict[str, Any]) -> None:
        """Like a frame, but without a text: tells whether the last frames got lost."""
        async with self.lock:
            at = self.note(event)
            if self.owes_snapshot and event["recorded"] >= at.seq:
                await self.send_what_is_missing(whole=True)
            elif at > self.position:
                await self.send_what_is_missing()
            await self.send(heartbeat(self.position, self.state, age=0.0))

    async def liveop_changed(self, event: dict[str, Any]) -> None:
        """The state changed outside of a run: retried, cancelled in the queue, lost, deleted."""
        async with self.lock:
            await self.send_what_is_missing()

    def note(self, event: dict[str, Any]) -> Position:
        self.heard_at = time.monotonic()
        self.state = event["state"]
        return Position(event["attempt"], event["seq"])

    @property
    def next_position(self) -> Position:
        return self.position._replace(seq=self.position.seq + 1)

    # To the browser; all of these run under the lock

    async def send_what_is_missing(self, *, whole: bool = False, resume: bool = False) -> None:
        """Bring the browser up to the record.

        `whole`: with a snapshot, whatever it has seen. `resume`: it says itself what it has seen,
        which may be more than the record holds, or nonsense.
        """
        self.lagging = self.window.is_full
        if self.lagging or self.closing or self.operation_id is None:
            return
        try:
            read = database_sync_to_async(catch_up)
            found = await read(self.operation_id, self.position, whole=whole)
        except DATABASE_UNAVAILABLE as error:
            logger.warning("%s could not be read: %s", self.operation_id, error)
            return
        if found is None:
            await self.refuse(Refused(Close.UNKNOWN, "the operation was deleted"))
            return
        self.operation, self.state = found.operation, found.operation.state
        if whole:
            self.owes_snapshot = False
        # What a killed worker could not record any more, the record has the last word about.
        final = found.operation.is_finished
        if found.text is not None and (whole or resume or final or found.position > self.position):
            await self.send_at(found.position, found.text)

    async def send_at(self, position: Position, text: str) -> None:
        self.position = position
        self.window.sent(position, len(text))
        self.lagging = self.window.is_full
        await self.send(text)

    # Meanwhile

    async def close_unless_subscribed(self) -> None:
        await asyncio.sleep(conf.SUBSCRIBE_WITHIN)
        await self.refuse(Refused(Close.TOO_SLOW, "no subscription in time"))

    async def keep_right(self) -> None:
        """Read the record when nothing comes through Redis, and ask again who is allowed."""
        asked_at = time.monotonic()
        while not self.closing:
            await asyncio.sleep(conf.HEARTBEAT_EVERY)
            now = time.monotonic()
            try:
                if now - asked_at >= conf.REVALIDATE_EVERY:
                    asked_at = now
                    await self.ask_again()
                if now - self.heard_at >= 2 * conf.HEARTBEAT_EVERY:
                    await self.look_for_myself()
                    # A run ought to be heard, so the record stands in for it from now on.
                    runs = self.state == State.RUNNING
                    self.heard_at = now - (conf.HEARTBEAT_EVERY if runs else 0)
            except Refused as refusal:
                await self.refuse(refusal)
            except DATABASE_UNAVAILABLE as error:
                logger.warning("%s could not be asked about: %s", self.operation_id, error)

    async def ask_again(self) -> None:
        if self.operation_id is not None:
            await database_sync_to_async(readmit)(self.operation_id, self.scope["session"])

    async def look_for_myself(self) -> None:
        async with self.lock:
            # A place in the queue moves on without a frame.
            await self.send_what_is_missing(whole=bool(self.operation and self.operation.held))
            await self.tell_age()

    async def tell_age(self, *, if_silent: bool = False) -> None:
        """Send a heartbeat from what the record says, or only one that is bad news."""
        if self.closing or self.operation is None or not self.operation.is_active:
            return
        age = await database_sync_to_async(seconds_silent)(self.operation)
        if not if_silent or (age or 0.0) >= 2 * conf.HEARTBEAT_EVERY:
            await self.send(heartbeat(self.position, self.state, age))
