"""Which run the current thread works for, so that every line of the log can say so."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_run: ContextVar[dict[str, str] | None] = ContextVar("liveops_run", default=None)


@contextmanager
def working_for(operation: Any) -> Iterator[None]:
    """Within, what this thread logs belongs to this attempt. A thread of its own says so itself."""
    token = _run.set(
        {
            "operation": str(operation.pk),
            "attempt": str(operation.attempt),
            "user": str(operation.owner_id),
        }
    )
    try:
        yield
    finally:
        _run.reset(token)


def current_run() -> dict[str, str]:
    """`operation`, `attempt` and `user`, the owner's key; outside of a run nothing."""
    return _run.get() or {}


class NoteRun(logging.Filter):
    """Gives every record an attribute `run`, for a formatter. Belongs to a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.run = current_run()
        return True
