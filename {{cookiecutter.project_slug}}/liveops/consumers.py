"""The websocket: verifies, subscribes, forwards."""

import asyncio
import logging
import time
from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone

from liveops.address import client_address
from liveops.admission import Admitted, Refused, admit, operation_id_of, readmit, verify
from liveops.audit import note
from liveops.conf import conf
from liveops.connections import watching
from liveops.failures import DATABASE_UNAVAILABLE, REDIS_UNAVAILABLE
from liveops.follower import Follower
from liveops.fragments import PROTOCOL
from liveops.handshake import BEGAN, PLACE, TURN
from liveops.hints import seconds_silent
from liveops.hub_consumer import HubConsumer
from liveops.record import CatchUp, Position, missed_by
from liveops.security import Claims
from liveops.wire import Ack, Close, Malformed, Subscribe, parse

logger = logging.getLogger(__name__)

AUTHENTICATED = f'{{"type":"authentication","status":"ok","protocol":{PROTOCOL}}}'
# MAX_MESSAGES are counted over so many seconds.
RATE_PERIOD = 10.0


def admit_and_read(
    claims: Claims, session: Any, user: Any, after: Position | None
) -> tuple[Admitted, CatchUp, float | None]:
    """All in one go, because each way to another thread costs. Last: `seconds_silent()`."""
    admitted, operation = admit(claims, session, user)
    return admitted, missed_by(operation, after), seconds_silent(operation)


class LiveOperationConsumer(HubConsumer):
    """One browser, or API client, that watches one operation."""

    admitted: Admitted | None = None
    follower: Follower | None = None
    asked_at = 0.0

    async def connect(self) -> None:
        self.address = client_address(self.scope)
        self.messages, self.counted_since = 0, time.monotonic()
        await self.accept()
        loop = asyncio.get_running_loop()
        self.too_slow = loop.call_later(conf.SUBSCRIBE_WITHIN, self.refuse_soon)

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
        self.channel = f"liveop.{operation_id_of(claims)}"
        self.place = watching.take(claims.user_key, conf.MAX_CONNECTIONS_PER_USER)
        if self.place is None:
            raise Refused(Close.TOO_MANY, "too many connections of one user")
        # Heard before anybody is asked, so that a right which ends meanwhile is heard of.
        self.hub.enter(claims.user_key, self)
        try:
            # Join first, then read: whatever is reported in between arrives as a frame.
            await self.hub.join(self.channel, self)
            ask = database_sync_to_async(admit_and_read)
            session, user = self.scope["session"], self.known_user()
            admitted, found, silent = await ask(claims, session, user, message.after)
        except (*DATABASE_UNAVAILABLE, *REDIS_UNAVAILABLE) as error:
            raise Refused(Close.OVERLOADED, str(error)) from error
        if self.closing:
            # It took too long, and was left before it was joined.
            await self.leave()
            return
        self.admitted, self.asked_at = admitted, time.monotonic()
        if self.too_slow is not None:
            self.too_slow.cancel()
        self.scope[PLACE].leave()
        await self.send(AUTHENTICATED)
        self.follower = Follower(admitted.operation_id, message.after, self.send_if_open)
        await self.follower.begin(found, silent)
        self.work_soon()

    def known_user(self) -> Any:
        """Whom the handshake was made by, if nothing was heard since that would change that."""
        user = self.scope["user"]
        since = self.scope[BEGAN]
        return user if self.hub.knows_of_no_end(str(user.pk), since) else None

    # From the workers and the views

    async def liveop_frame(self, event: dict[str, Any]) -> None:
        if self.follower is not None:
            await self.follower.take_frame(event)

    async def liveop_heartbeat(self, event: dict[str, Any]) -> None:
        if self.follower is not None:
            await self.follower.take_heartbeat(event)

    async def liveop_changed(self, event: dict[str, Any]) -> None:
        if self.follower is not None:
            await self.follower.take_change()

    async def liveop_silence(self, event: dict[str, Any]) -> None:
        if self.follower is not None:
            await self.follower.look()

    async def liveop_ask_again(self, event: dict[str, Any]) -> None:
        if self.admitted is None:
            return
        self.asked_at = time.monotonic()
        try:
            ask = database_sync_to_async(readmit)
            self.admitted = await ask(self.admitted, self.scope["session"])
        except DATABASE_UNAVAILABLE as error:
            logger.warning("%s could not be asked about: %s", self.admitted.operation_id, error)

    async def liveop_session_ended(self, event: dict[str, Any]) -> None:
        """`session`: the digest of the session that is over."""
        if self.admitted is not None and self.admitted.session == event["session"]:
            raise Refused(Close.BAD_TOKEN, "the session has ended")

    async def liveop_clients_revoked(self, event: dict[str, Any]) -> None:
        if self.admitted is not None and self.admitted.is_client:
            raise Refused(Close.TOKEN_EXPIRED, "an API credential was revoked")

    # Meanwhile

    def look_at_the_clock(self, now: float) -> None:
        """Read the record when nothing comes through Redis, and ask again who is allowed."""
        if self.follower is None or self.inbox or self.work is not None:
            return
        if now - self.asked_at >= conf.REVALIDATE_EVERY or self.session_is_over:
            self.hear({"type": "liveop.ask_again"})
        if self.follower.is_silent(now):
            self.hear({"type": "liveop.silence"})

    @property
    def session_is_over(self) -> bool:
        """As far as is known: it may have been prolonged."""
        ends = self.admitted.session_ends if self.admitted is not None else None
        return ends is not None and ends <= timezone.now()

    # What the hub is told

    @property
    def is_subscribed(self) -> bool:
        return self.follower is not None

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
