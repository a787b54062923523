"""The log of an operation."""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _


class LogLine(NamedTuple):
    """One line: when in Unix milliseconds, its level, and its text."""

    at_ms: int
    level: str
    text: str


class LogChunk(models.Model):
    """Consecutive log lines of one frame.

    A row per chunk rather than per line: one insert stores a whole burst, and the end of a long
    log is read from a few rows.
    """

    # Keeps a page of the log, or its tail, small to read.
    MAX_LINES = 500

    operation = models.ForeignKey(
        "liveops.LiveOperation", on_delete=models.CASCADE, related_name="log_chunks", db_index=False
    )
    attempt = models.PositiveIntegerField()
    # The frame that carried these lines.
    seq = models.PositiveBigIntegerField()
    # Lines are numbered from 1 in each attempt.
    first_line = models.PositiveBigIntegerField()
    line_count = models.PositiveIntegerField()
    # JSON: [[at_ms, level, text], …]. Text, because a jsonb column would parse it once more.
    body = models.TextField()

    class Meta:
        verbose_name = _("log chunk")
        verbose_name_plural = _("log chunks")
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "attempt", "first_line"], name="liveops_log_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"lines {self.first_line} to {self.last_line}"

    @property
    def last_line(self) -> int:
        return self.first_line + self.line_count - 1

    @property
    def lines(self) -> list[LogLine]:
        return [LogLine(*line) for line in json.loads(self.body)]

    @classmethod
    def pack(
        cls, *, attempt: int, seq: int, first_line: int, lines: Sequence[LogLine], **keys: object
    ) -> "Iterator[LogChunk]":
        """Yield unsaved chunks that hold `lines`, numbered from `first_line`."""
        for start in range(0, len(lines), cls.MAX_LINES):
            part = lines[start : start + cls.MAX_LINES]
            yield cls(
                attempt=attempt,
                seq=seq,
                first_line=first_line + start,
                line_count=len(part),
                body=json.dumps(part, ensure_ascii=False, separators=(",", ":")),
                **keys,
            )
