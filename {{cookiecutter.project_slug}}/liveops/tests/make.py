"""What most tests of the engine begin with."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from liveops.models import LiveOperation, LogChunk, State
from liveops.models.log import LogLine
from tests.kinds.models import Greeting

Answer = TypeVar("Answer")


def make_user(username: str = "ann", *groups: str, **fields: Any) -> Any:
    user = get_user_model().objects.create_user(username, password="pw", **fields)
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    return user


def make_operation(
    owner: Any = None,
    kind: type[LiveOperation] = Greeting,
    state: State = State.QUEUED,
    own: dict[str, Any] | None = None,
    **columns: Any,
) -> Any:
    """A recorded operation, of ann unless an `owner` is given.

    `own`: fields of its kind; `columns`: of the row, in this `state`.
    """
    owner = owner or get_user_model().objects.filter(username="ann").first() or make_user()
    operation = kind(owner=owner, **(own or {}))
    operation.submit(by=operation.owner)
    if state is not State.QUEUED:
        columns = {"started_at": timezone.now(), "heartbeat_at": timezone.now(), **columns}
    LiveOperation.objects.filter(pk=operation.pk).update(state=state, **columns)
    return kind._base_manager.get(pk=operation.pk)


def add_lines(operation: LiveOperation, *texts: str, seq: int | None = None) -> None:
    """Record log lines as the frame `seq`, by default the next one."""
    operation.seq = operation.seq + 1 if seq is None else seq
    lines = [LogLine(1_700_000_000_000 + number, "info", text) for number, text in enumerate(texts)]
    LogChunk.objects.bulk_create(
        LogChunk.pack(
            operation_id=operation.pk,
            attempt=operation.attempt,
            seq=operation.seq,
            first_line=operation.log_lines + 1,
            lines=lines,
        )
    )
    operation.log_lines += len(lines)
    operation.save(update_fields=["seq", "log_lines"])


@contextmanager
def locked_database() -> Iterator[None]:
    """Another connection holds SQLite's one lock for all writers."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def at_once(times: int, act: Callable[[], Answer]) -> list[Answer]:
    """Call `act` in so many threads at the same moment; each has a connection of its own."""
    barrier = threading.Barrier(times)
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def in_thread() -> None:
        barrier.wait(timeout=10)
        try:
            answers.append(act())
        except BaseException as failure:  # noqa: BLE001 (raised again below)
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=in_thread) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if failures:
        raise failures[0]
    return answers
