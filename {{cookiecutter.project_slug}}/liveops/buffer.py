"""Where a run leaves its reports until the reporter's thread takes them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from liveops.exceptions import LeaseLost, RunInterrupted
from liveops.models.log import LogLine
from liveops.text import clean

# Bytes of memory that a log line takes beside the characters of its text: a tuple, a number, the
# header of a string and a place in a list, as `sys.getsizeof` has them.
LINE_OVERHEAD = 180


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What has come together since the last one."""

    changes: dict[str, Any]
    regions: dict[str, str]
    lines: list[LogLine]
    size: int

    def __len__(self) -> int:
        return len(self.changes) + len(self.regions) + len(self.lines)


class ReportBuffer:
    """The sink of a running operation. Of columns and regions the last value counts, of log lines
    every one: a run that reports faster than the database can take waits for it.
    """

    def __init__(self, limit: int, save_cursor: Callable[[Any], bool]) -> None:
        self._save_cursor = save_cursor
        self.wake = threading.Event()
        self._limit = limit
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._changes: dict[str, Any] = {}
        self._regions: dict[str, str] = {}
        self._lines: list[tuple[float, str, str]] = []
        self._held = 0
        self._taken = 0
        self._interrupt: RunInterrupted | None = None

    # The run's side

    def update(self, **columns: Any) -> None:
        self._stop_without_lease()
        with self._lock:
            self._changes.update(columns)
        self.wake.set()

    def show_region(self, selector: str, html: str) -> None:
        self._stop_without_lease()
        with self._lock:
            self._regions[selector] = html
        self.wake.set()

    def log(self, level: str, text: str) -> None:
        with self._lock:
            if self._held > self._limit or self._interrupt is not None:
                self._wait_for_room()
            self._lines.append((time.time(), level, text))
            self._held += len(text) + LINE_OVERHEAD
        if not self.wake.is_set():
            self.wake.set()

    def checkpoint(self, cursor: Any) -> None:
        if not connection.in_atomic_block:
            self.update(cursor=cursor)
        elif not connection.needs_rollback:
            with self._lock:
                self._changes.pop("cursor", None)
            # In the run's own transaction: its work and the cursor are committed together.
            if not self._save_cursor(cursor):
                raise LeaseLost

    def check(self) -> None:
        if self._interrupt is not None:
            raise self._interrupt

    def _stop_without_lease(self) -> None:
        if isinstance(self._interrupt, LeaseLost):
            raise self._interrupt

    def _wait_for_room(self) -> None:
        self._stop_without_lease()
        # A run that waited inside its own transaction could wait for itself: it may hold the very
        # lock that the record needs.
        while self._held > self._limit and not connection.in_atomic_block:
            self.check()
            self._room.wait(timeout=1)

    # The thread's side

    def take(self) -> Batch:
        with self._lock:
            changes, self._changes = self._changes, {}
            regions, self._regions = self._regions, {}
            lines, self._lines = self._lines, []
            size, self._taken = self._held - self._taken, self._held
        return Batch(changes=changes, regions=regions, lines=_finish(lines), size=size)

    def release(self, size: int) -> None:
        """So many bytes that were taken are in the record now."""
        with self._lock:
            self._held -= size
            self._taken -= size
            self._room.notify_all()

    def note(self, text: str) -> None:
        """A line of the reporter's own; it waits for nothing, least of all for itself."""
        with self._lock:
            self._lines.append((time.time(), "warning", text))
            self._held += len(text) + LINE_OVERHEAD
        self.wake.set()

    def interrupt(self, reason: RunInterrupted) -> None:
        """Have the run end at its next check; without its lease, at its next report."""
        with self._lock:
            self._interrupt = reason
            self._room.notify_all()


def _finish(raw: list[Any]) -> list[LogLine]:
    """In place, because a burst has so many that a second list would be felt."""
    for index, (at, level, text) in enumerate(raw):
        raw[index] = LogLine(int(at * 1000), level, clean(text))
    return raw
