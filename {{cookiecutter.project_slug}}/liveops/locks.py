"""How long this thread's database connection waits for a lock."""

from django.db import connection


def wait_for_locks(milliseconds: int) -> None:
    """From now on, until the connection is closed, give up on a lock after so long.

    SQLite has one lock for all writers; PostgreSQL has one for each row. The connection keeps
    the value that it was told last, so that telling it the same again costs nothing.
    """
    connection.ensure_connection()
    raw = connection.connection
    told, patience = getattr(connection, "_liveops_patience", (None, 0))
    if told is raw and patience == milliseconds:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds:d}")
        elif connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{milliseconds}ms"])
    # The connection itself and not its id, which a later one may get.
    connection._liveops_patience = (raw, milliseconds)  # type: ignore[attr-defined]
