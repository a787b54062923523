"""From a worker thread to the database."""

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.functions import Now

from liveops.exceptions import LeaseLost
from liveops.failures import DATABASE_UNAVAILABLE
from liveops.locks import patience
from liveops.metrics import FLUSH_SECONDS, FLUSHES_POSTPONED
from liveops.models import LiveOperation, LogChunk, OperationEvent, State
from liveops.models.log import LogLine

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What one flush has to record."""

    seq: int
    changes: dict[str, Any]
    first_line: int
    lines: list[LogLine]
    # Of memory, about.
    size: int

    @property
    def last_line(self) -> int:
        return self.first_line + len(self.lines) - 1


class Recorder:
    """Writes the frames of one run in order, and keeps them while the database is not to be had.

    Every write carries the attempt. To be used by one thread, over that thread's connection.
    """

    def __init__(self, operation: LiveOperation) -> None:
        self.recorded_seq = operation.seq
        self.cancel_requested = False
        self._operation = operation
        self._frames: deque[Frame] = deque()
        self._waiting = False

    def keep(self, frame: Frame) -> None:
        self._frames.append(frame)

    @property
    def behind(self) -> bool:
        return bool(self._frames)

    def record(self, patience_ms: int) -> int | None:
        """Write all that is kept, and the heartbeat, in one transaction.

        Waits at most `patience_ms` for a lock. Returns the bytes of memory that are free again,
        or None when the database could not take it. Raises LeaseLost when the row is not this
        run's any more.
        """
        changes = {"heartbeat_at": Now(), **self._changes()}
        if self._frames:
            changes["seq"] = self._frames[-1].seq
            changes["log_lines"] = self._frames[-1].last_line

        def write() -> None:
            self._update(changes)
            self._insert_chunks()

        # One statement needs no transaction around it.
        needs_transaction = any(frame.lines for frame in self._frames)
        if not self._attempt(patience_ms, write, atomic=needs_transaction):
            return None
        return self._forget()

    def finish(
        self,
        state: State,
        *,
        patience_ms: int,
        why: str,
        changes: dict[str, Any],
        cancelled_by: str | None = None,
        next_operation: LiveOperation | None = None,
    ) -> bool:
        """Write all that is kept and the terminal state in one transaction. False: try again.

        `cancelled_by`: the key of the user whose cancel request the row could not take in time.
        Raises LeaseLost like `record()`.
        """

        def write() -> None:
            if self._waiting and self._has_ended(state, changes):
                return
            last = {**self._changes(), **changes}
            if cancelled_by is not None:
                self._note_cancel_request(cancelled_by)
            if next_operation is not None:
                origin = f"chained from {self._operation.pk}"
                next_operation.submit(by=next_operation.owner, why=origin)
                last["next_operation"] = next_operation
            self._insert_chunks()
            if not self._operation.finish(state, why=why, **last):
                raise LeaseLost

        if not self._attempt(patience_ms, write, atomic=True):
            return False
        self._forget()
        return True

    def close(self) -> None:
        connection.close()

    def _changes(self) -> dict[str, Any]:
        return {name: value for frame in self._frames for name, value in frame.changes.items()}

    def _attempt(self, patience_ms: int, write: Callable[[], None], *, atomic: bool) -> bool:
        began = time.perf_counter()
        try:
            with patience(patience_ms, atomic=atomic):
                write()
        except DATABASE_UNAVAILABLE as error:
            if not self._waiting:
                logger.info("the record of %s has to wait: %s", self._operation.pk, error)
            self._waiting = True
            FLUSHES_POSTPONED.inc()
            if not connection.is_usable():
                connection.close()
            return False
        self._waiting = False
        FLUSH_SECONDS.observe(time.perf_counter() - began)
        return True

    def _update(self, changes: dict[str, Any]) -> None:
        mine = LiveOperation.objects.filter(
            pk=self._operation.pk, attempt=self._operation.attempt, state=State.RUNNING
        )
        # The condition asks for a cancel request without a query of its own.
        unasked = mine if self.cancel_requested else mine.filter(cancel_requested_at=None)
        if unasked.update(**changes):
            return
        if not mine.update(**changes):
            raise LeaseLost
        self.cancel_requested = True

    def _insert_chunks(self) -> None:
        for frame in self._frames:
            chunks = LogChunk.pack(
                operation_id=self._operation.pk,
                attempt=self._operation.attempt,
                seq=frame.seq,
                first_line=frame.first_line,
                lines=frame.lines,
            )
            # One by one: the rows of a common INSERT go to PostgreSQL as arrays, for which psycopg
            # escapes each quote of the JSON, at five times the cost; and all of them are in memory.
            for chunk in chunks:
                # A try that failed may have been committed, when only the answer got lost.
                LogChunk.objects.bulk_create([chunk], ignore_conflicts=self._waiting)

    def _has_ended(self, state: State, changes: dict[str, Any]) -> bool:
        """Whether the last try was committed after all; nobody else ends this attempt so."""
        # Waits for a try that the database is still busy with.
        mine = LiveOperation.objects.select_for_update().filter(
            pk=self._operation.pk, attempt=self._operation.attempt
        )
        if not any(row.state == state for row in mine):
            return False
        self._operation.refresh_from_db(fields=["state", "finished_at", "next_operation", *changes])
        return True

    def _note_cancel_request(self, user_key: str) -> None:
        row = LiveOperation.objects.filter(pk=self._operation.pk, cancel_requested_at=None)
        if row.update(cancel_requested_at=Now()):
            OperationEvent.objects.create(
                operation_id=self._operation.pk,
                user=get_user_model()._default_manager.filter(pk=user_key).first(),
                attempt=self._operation.attempt,
                from_state=State.RUNNING,
                to_state=State.RUNNING,
                why="cancel requested while the row was locked",
            )

    def _forget(self) -> int:
        freed = sum(frame.size for frame in self._frames)
        if self._frames:
            self.recorded_seq = self._frames[-1].seq
        self._frames.clear()
        return freed
