"""Reading the record: logs, and what a watcher has missed."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, overload

from django.db.models import QuerySet
from django.utils.safestring import SafeString, mark_safe

from liveops.conf import conf
from liveops.fragments import LogView, frame, render_line_text, render_log
from liveops.models import LiveOperation, LogChunk, State
from liveops.models.log import LogLine

logger = logging.getLogger(__name__)

# Chunks of the log that are read at a time.
FIRST_BATCH = 4
LARGEST_BATCH = 64
READ_BATCH = 20


class Position(NamedTuple):
    """How far a watcher has come."""

    attempt: int
    seq: int


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """What brings a watcher up to the record: the text of a frame, or None if nothing is new."""

    operation: LiveOperation
    text: str | None

    @property
    def position(self) -> Position:
        return Position(self.operation.attempt, self.operation.seq)


def catch_up(
    operation_id: uuid.UUID, after: Position | None, *, whole: bool = False
) -> CatchUp | None:
    """Read what a watcher misses that has seen everything up to `after`.

    A frame with the missed lines, or a whole snapshot when those are too many or belong to
    another attempt, or when it is wanted. None: there is no such operation.
    """
    operation = LiveOperation.objects.find(operation_id)
    return None if operation is None else missed_by(operation, after, whole=whole)


def missed_by(operation: LiveOperation, after: Position | None, *, whole: bool = False) -> CatchUp:
    """The same for a row that was just read."""
    if after == (operation.attempt, operation.seq) and not whole:
        return CatchUp(operation=operation, text=None)
    if operation.is_finished:
        # A result template may show fields of the kind.
        operation = operation.as_kind()
    missed = redirect = None
    if after is not None and after.attempt == operation.attempt and after.seq <= operation.seq:
        missed = None if whole else _log_after(operation, after.seq)
        redirect = _redirect_of(operation) if after.seq < operation.seq else None
    text = frame(
        "snapshot" if missed is None else "frame",
        operation,
        regions=operation.regions,
        log=log_tail(operation) if missed is None else missed,
        redirect=redirect,
    )
    return CatchUp(operation=operation, text=text)


def _redirect_of(operation: LiveOperation) -> str | None:
    """Where a page goes that watched the run, but got no frame of its end."""
    if operation.state != State.SUCCEEDED:
        return None
    if operation.next_operation is not None:
        return operation.next_operation.get_absolute_url()
    return success_url(operation)


def success_url(operation: LiveOperation) -> str | None:
    """What the kind says, or None: the page stays."""
    try:
        return operation.get_success_url()
    except Exception:  # the site's own code; a page that stays is no reason to lose a result
        logger.exception("get_success_url() of %s", operation.pk)
        return None


def log_tail(operation: LiveOperation) -> LogView:
    """The end of the log of the current attempt, as much as a page shows."""
    lines: list[LogLine] = []
    for chunk in _newest_first(operation):
        lines[:0] = chunk.lines
        if len(lines) >= conf.LOG_TAIL_LINES:
            break
    return render_log(operation.log_lines - len(lines) + 1, lines)


def _log_after(operation: LiveOperation, seq: int) -> LogView | None:
    """The lines of later frames, or None when there are more than a browser catches up with."""
    chunks: list[LogChunk] = []
    count = 0
    for chunk in _newest_first(operation):
        if chunk.seq <= seq:
            break
        chunks.append(chunk)
        count += chunk.line_count
        if count > conf.CATCH_UP_LINES:
            return None
    lines = [line for chunk in reversed(chunks) for line in chunk.lines]
    return render_log(operation.log_lines - len(lines) + 1, lines, whole=True)


def _newest_first(operation: LiveOperation) -> Iterator[LogChunk]:
    """The chunks from the last one on, read in batches that grow: most callers need few."""
    size = FIRST_BATCH
    # Chunks beyond `log_lines` were written after the row was read.
    before = operation.log_lines + 1
    while before > 1:
        chunks = _chunks(operation, operation.attempt).filter(first_line__lt=before)
        batch = list(chunks.order_by("-first_line")[:size])
        yield from batch
        if len(batch) < size:
            return
        before = batch[-1].first_line
        size = min(4 * size, LARGEST_BATCH)


def _chunks(operation: LiveOperation, attempt: int) -> QuerySet[LogChunk]:
    return LogChunk.objects.filter(operation_id=operation.pk, attempt=attempt)


@dataclass(frozen=True, kw_only=True)
class NumberedLine:
    """A log line as the page of the full log shows it."""

    number: int
    line: LogLine

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.line.at_ms / 1000, UTC)

    @property
    def level(self) -> str:
        return self.line.level

    @property
    def text(self) -> str:
        return self.line.text

    @property
    def html(self) -> SafeString:
        """Its text, as the page shows it."""
        return mark_safe(render_line_text(self.line.text))  # noqa: S308 (escapes)


class Log(Sequence[NumberedLine]):
    """The whole log of one attempt; slices read only the chunks that they need."""

    def __init__(self, operation: LiveOperation, attempt: int) -> None:
        self._chunks = _chunks(operation, attempt)
        last = self._chunks.order_by("-first_line").first()
        self._length = last.last_line if last else 0

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> NumberedLine: ...
    @overload
    def __getitem__(self, index: slice) -> list[NumberedLine]: ...
    def __getitem__(self, index: int | slice) -> NumberedLine | list[NumberedLine]:
        if isinstance(index, int):
            index = range(self._length)[index]
            return self[index : index + 1][0]
        start, stop, _step = index.indices(self._length)
        return list(self._read(start + 1, stop))

    def __iter__(self) -> Iterator[NumberedLine]:
        return self._read(1, self._length)

    def _read(self, first: int, last: int) -> Iterator[NumberedLine]:
        """Yield the lines numbered `first` to `last`, both included."""
        after = first - LogChunk.MAX_LINES
        chunks = self._chunks.filter(first_line__lte=last).order_by("first_line")
        # In batches and not by a cursor of the server, which a pool of transactions has none of:
        # the whole log would be in memory then.
        is_more = True
        while is_more:
            batch = list(chunks.filter(first_line__gt=after)[:READ_BATCH])
            is_more = len(batch) == READ_BATCH
            for chunk in batch:
                for offset, line in enumerate(chunk.lines):
                    number = chunk.first_line + offset
                    if first <= number <= last:
                        yield NumberedLine(number=number, line=line)
                after = chunk.first_line
