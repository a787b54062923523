"""What one browser has seen of an operation, and what it is still to be sent."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async

from liveops.admission import Refused
from liveops.conf import conf
from liveops.failures import DATABASE_UNAVAILABLE
from liveops.flow import Window
from liveops.fragments import heartbeat
from liveops.hints import seconds_silent
from liveops.models import LiveOperation, State
from liveops.record import CatchUp, Position, catch_up
from liveops.wire import Close

logger = logging.getLogger(__name__)


class Follower:
    """Keeps one browser right about one operation, through `send`, which takes a text.

    `position` is what was sent last. Frames at or below it are dropped, a gap above it is filled
    from the record; when the record is behind the frames, the frames go out all the same and a
    snapshot follows (`owes_snapshot`) once it has caught up.

    Every method raises Refused when the operation was deleted.
    """

    def __init__(
        self,
        operation_id: uuid.UUID,
        after: Position | None,
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self.operation_id = operation_id
        self.position = after or Position(0, 0)
        self.send = send
        self.lock = asyncio.Lock()
        self.window = Window(conf.MAX_UNACKNOWLEDGED)
        self.lagging = self.owes_snapshot = False
        self.operation: LiveOperation | None = None
        self.state = ""
        self.heard_at = time.monotonic()

    async def begin(self, found: CatchUp, silent: float | None) -> None:
        """`found`: what the browser misses, read after it began to hear of the operation; `silent`:
        the seconds since the worker's last sign of life then, of which only many are told.
        """
        async with self.lock:
            await self._send_found(found, resume=True)
            if found.operation.is_active and (silent or 0.0) >= 2 * conf.HEARTBEAT_EVERY:
                await self.send(heartbeat(self.position, self.state, silent))

    async def acknowledge(self, position: Position) -> None:
        async with self.lock:
            self.window.acknowledged(position)
            if self.lagging and not self.window.is_full:
                await self._send_what_is_missing()

    # From the workers

    async def take_frame(self, event: dict[str, Any]) -> None:
        """`attempt`, `seq`, `state`, `recorded` (the newest seq in the record), `text`."""
        async with self.lock:
            at = self._note(event)
            if self.owes_snapshot and event["recorded"] >= self.position.seq:
                await self._send_what_is_missing(whole=True)
            elif at > self._next_position:
                await self._send_what_is_missing()
            if at > self.position and not self.lagging:
                # What is missing now is not in the record yet.
                self.owes_snapshot |= at != self._next_position
                await self._send_at(at, event["text"])

    async def take_heartbeat(self, event: dict[str, Any]) -> None:
        """Like a frame, but without a text: tells whether the last frames got lost."""
        async with self.lock:
            at = self._note(event)
            if self.owes_snapshot and event["recorded"] >= at.seq:
                await self._send_what_is_missing(whole=True)
            elif at > self.position:
                await self._send_what_is_missing()
            await self.send(heartbeat(self.position, self.state, age=0.0))

    async def take_change(self) -> None:
        """The state changed outside of a run: retried, cancelled in the queue, lost, deleted."""
        async with self.lock:
            await self._send_what_is_missing()

    def is_silent(self, now: float) -> bool:
        """Whether nothing has come through Redis for too long."""
        return now - self.heard_at >= 2 * conf.HEARTBEAT_EVERY

    async def look(self) -> None:
        """Read the record, because nobody says anything."""
        now = time.monotonic()
        async with self.lock:
            # A place in the queue moves on without a frame.
            await self._send_what_is_missing(whole=bool(self.operation and self.operation.held))
            await self._tell_age()
        # A run ought to be heard, so the record stands in for it from now on.
        self.heard_at = now - (conf.HEARTBEAT_EVERY if self.state == State.RUNNING else 0)

    def _note(self, event: dict[str, Any]) -> Position:
        self.heard_at = time.monotonic()
        self.state = event["state"]
        return Position(event["attempt"], event["seq"])

    @property
    def _next_position(self) -> Position:
        return self.position._replace(seq=self.position.seq + 1)

    # To the browser; all of these run under the lock

    async def _send_what_is_missing(self, *, whole: bool = False) -> None:
        """Bring the browser up to the record; `whole`: with a snapshot, whatever it has seen."""
        self.lagging = self.window.is_full
        if self.lagging:
            return
        try:
            read = database_sync_to_async(catch_up)
            found = await read(self.operation_id, self.position, whole=whole)
        except DATABASE_UNAVAILABLE as error:
            logger.warning("%s could not be read: %s", self.operation_id, error)
            return
        if found is None:
            raise Refused(Close.UNKNOWN, "the operation was deleted")
        await self._send_found(found, whole=whole)

    async def _send_found(
        self, found: CatchUp, *, whole: bool = False, resume: bool = False
    ) -> None:
        """`resume`: the browser says itself what it has seen, and may have to unlearn it."""
        self.operation, self.state = found.operation, found.operation.state
        if whole:
            self.owes_snapshot = False
        # What a killed worker could not record any more, the record has the last word about.
        final = found.operation.is_finished
        if found.text is not None and (whole or resume or final or found.position > self.position):
            await self._send_at(found.position, found.text)

    async def _send_at(self, position: Position, text: str) -> None:
        self.position = position
        self.window.sent(position, len(text))
        self.lagging = self.window.is_full
        await self.send(text)

    async def _tell_age(self) -> None:
        """Send a heartbeat from what the record says."""
        if self.operation is not None and self.operation.is_active:
            age = await database_sync_to_async(seconds_silent)(self.operation)
            await self.send(heartbeat(self.position, self.state, age))
