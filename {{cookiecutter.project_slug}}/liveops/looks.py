"""Answers that many may ask for at once, of services that may never answer."""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Answer = TypeVar("Answer")

# Who asks again so soon gets the same answer.
FRESH = 1.0
# Nobody waits longer than this.
WITHIN = 2.0


@dataclass(frozen=True)
class Asked(Generic[Answer]):
    """What somebody looks for at the moment, or has found."""

    found: "Future[Answer]"
    until: float

    def answer(self) -> Answer:
        """Raises what the look raised, or TimeoutError."""
        return self.found.result(max(0.0, self.until - time.monotonic()))


class Look(Generic[Answer]):
    """Calls `look` in a thread of its own, however many ask, and never twice at a time.

    So a flood of questions costs no more than one in a second, and a service that hangs holds one
    thread. The thread's database connection does not wait long for the server.
    """

    def __init__(self, look: Callable[[], Answer]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._asked: Asked[Answer] | None = None
        self._fresh_until = 0.0

    def ask(self) -> Asked[Answer]:
        """Begin to look, unless somebody does or just did."""
        with self._lock:
            now, asked = time.monotonic(), self._asked
            if asked is None or (asked.found.done() and now >= self._fresh_until):
                asked = self._asked = Asked(Future(), now + WITHIN)
                self._fresh_until = now + FRESH
                # A daemon, so that one that hangs is left behind.
                threading.Thread(target=self._work, args=[asked.found], daemon=True).start()
            return asked

    def _work(self, found: "Future[Answer]") -> None:
        connections[DEFAULT_DB_ALIAS] = _hurried_connection()
        try:
            found.set_result(self._look())
        except Exception as error:  # noqa: BLE001 (handed to those who asked)
            found.set_exception(error)
        finally:
            connections.close_all()


def _hurried_connection() -> BaseDatabaseWrapper:
    database = connections.create_connection(DEFAULT_DB_ALIAS)
    options = {**database.settings_dict.get("OPTIONS", {})}
    if database.vendor == "postgresql":
        # A pool would hand out a connection that waits as long as any other.
        options.pop("pool", None)
        options["connect_timeout"] = math.ceil(WITHIN)
        options["tcp_user_timeout"] = int(WITHIN * 1000)
    database.settings_dict = {**database.settings_dict, "OPTIONS": options}
    return database
