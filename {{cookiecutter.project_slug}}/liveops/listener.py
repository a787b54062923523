"""The part of a worker that listens to the broker."""

from typing import Any

from celery.worker.consumer import Consumer

from liveops import alive_file


class Listener(Consumer):
    """Celery's own, which lives while it waits for a broker that is away, too.

    There are no heartbeats meanwhile. A container that was restarted for that would take its runs
    with it, which need no broker.
    """

    def ensure_connected(self, conn: Any) -> Any:
        ensure_connection = conn.ensure_connection

        def ensure_and_show(*args: Any, callback: Any, **kwargs: Any) -> Any:
            def each_second() -> None:
                alive_file.touch()
                callback()

            return ensure_connection(*args, callback=each_second, **kwargs)

        conn.ensure_connection = ensure_and_show
        return super().ensure_connected(conn)
