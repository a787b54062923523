"""Database connections that outlive the call they were opened for, for websockets."""

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import connections

# The interpreter runs one at a time; the others wait for the database meanwhile.
THREADS = 4
# Seconds. A connection that a firewall or a restart has cut is not met with long after.
CONNECTION_LIVES = 60


class KeptConnections:
    """Has `app` work with the database in a few threads, each with a connection that stays open.

    By default all websockets share one thread, and open a connection for each call: several
    milliseconds for a subscription that needs four calls. Requests get a thread each, in which a
    connection cannot be kept.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self._threads = cycle([_thread(number) for number in range(THREADS)])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        before = SyncToAsync.thread_sensitive_context.set(next(self._threads))
        try:
            await self.app(scope, receive, send)
        finally:
            SyncToAsync.thread_sensitive_context.reset(before)


def _thread(number: int) -> ThreadSensitiveContext:
    """What `sync_to_async`, called within it, takes the same thread for every time."""
    context = ThreadSensitiveContext()
    SyncToAsync.context_to_thread_executor[context] = ThreadPoolExecutor(
        max_workers=1, thread_name_prefix=f"websockets-{number}", initializer=_keep_connections
    )
    return context


def _keep_connections() -> None:
    for connection in connections.all():
        connection.settings_dict = {
            **connection.settings_dict,
            "CONN_MAX_AGE": CONNECTION_LIVES,
        }
