"""How long this thread's database connection waits for a lock."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import connection, transaction


@contextmanager
def patience(milliseconds: int, *, atomic: bool = False) -> Iterator[None]:
    """Give up on a lock after so long; with `atomic`, all of it is one transaction.

    It is one in any case where transactions are pooled: what a session was told there would hold
    for others, and not for us.
    """
    if are_transactions_pooled():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])
            yield
    else:
        wait_for_locks(milliseconds)
        with transaction.atomic() if atomic else nullcontext():
            yield


def are_transactions_pooled() -> bool:
    """Whether each transaction may be another session of PostgreSQL's, as PgBouncer has it.

    Django has the same setting for the same reason: a cursor of the server is of one session, too.
    """
    return bool(connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))


def wait_for_locks(milliseconds: int) -> None:
    """From now on, until the connection is closed, give up on a lock after so long.

    SQLite has one lock for all writers; PostgreSQL has one for each row. The connection keeps
    the value that it was told last, so that telling it the same again costs nothing.
    """
    connection.ensure_connection()
    raw = connection.connection
    told, before = getattr(connection, "_liveops_patience", (None, 0))
    if told is raw and before == milliseconds:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds:d}")
        elif connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{milliseconds}ms"])
    # The connection itself and not its id, which a later one may get.
    connection._liveops_patience = (raw, milliseconds)  # type: ignore[attr-defined]
