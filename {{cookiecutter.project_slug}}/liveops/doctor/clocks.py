"""Whether the hosts agree on what time it is: leases and sweeps rely on it."""

from collections.abc import Callable
from time import time as now

from celery import current_app
from django.db import connection

from liveops.doctor.diagnosis import Check, Wrong

# In seconds; the shortest time that leases are compared with is many times as long.
MOST = 2.0
ANSWER_WITHIN = 5.0


def check_database_clock() -> str:
    if connection.vendor == "sqlite":
        return "SQLite uses the clock of this host"
    if connection.vendor != "postgresql":
        return f"not compared: {connection.display_name} has another way to say the time"
    with connection.cursor() as cursor:

        def ask() -> float:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            return float(cursor.fetchone()[0])

        ask()  # the first answer takes longer
        return compare(ask)


def check_redis_clock() -> str:
    with current_app.connection_for_write(connect_timeout=ANSWER_WITHIN) as broker:
        if broker.transport.driver_type != "redis":
            return "not compared: the broker is not Redis"
        client = broker.default_channel.client

        def ask() -> float:
            seconds, microseconds = client.time()
            return float(seconds + microseconds / 1e6)

        ask()
        return compare(ask)


def compare(ask: Callable[[], float]) -> str:
    """Compare the Unix time that `ask()` gives with the time here."""
    before = now()
    there = ask()
    after = now()
    ahead = there - (before + after) / 2
    if abs(ahead) > MOST + (after - before) / 2:
        raise Wrong(f"it is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this host's")
    return f"it differs from this host's by {abs(ahead):.2f} s"


MEND = "Let all hosts take the time from the network (NTP: chrony or systemd-timesyncd)."

CHECKS = (
    Check(name="Database clock", examine=check_database_clock, mend=MEND, needs=("Database",)),
    Check(name="Redis clock", examine=check_redis_clock, mend=MEND, needs=("Broker",)),
)
