"""Everything that is counted or measured, under the name that Prometheus knows it by.

A process counts what happens in it. The children of a worker count into files in
PROMETHEUS_MULTIPROC_DIR, from which their parent serves the sums, see `exposition`. What the
database knows is read from there by whoever is asked, so it is the same from each web server.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from prometheus_client import Counter, Gauge, Histogram, Summary, disable_created_metrics
from prometheus_client.metrics_core import GaugeMetricFamily

# A second series for each counter, with the time of its start, which nobody asks for.
disable_created_metrics()

# In seconds. Operations take from moments to hours.
RUN_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)
WAIT_BUCKETS = (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
FLUSH_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)


@dataclass(frozen=True)
class Reading:
    """A gauge that nobody sets: it is read when somebody asks."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def family(self) -> GaugeMetricFamily:
        if self.labels:
            return GaugeMetricFamily(self.name, self.help, labels=self.labels)
        return GaugeMetricFamily(self.name, self.help)


# What happened to operations; counted by the process that recorded it.

STARTED = Counter("liveops_operations_started_total", "Operations that were started.", ["kind"])
RETRIED = Counter(
    "liveops_operations_retried_total",
    "New attempts of operations, by a click on Retry or because a worker was lost.",
    ["kind"],
)
ENDED = Counter(
    "liveops_operations_ended_total",
    "Attempts that ended, by how: SUCCEEDED, FAILED, CANCELLED or LOST.",
    ["kind", "state"],
)
WAIT_SECONDS = Histogram(
    "liveops_wait_seconds",
    "From the start or retry of an operation until a worker ran it.",
    ["kind"],
    buckets=WAIT_BUCKETS,
)
RUN_SECONDS = Histogram(
    "liveops_run_seconds",
    "How long attempts ran, by how they ended.",
    ["kind", "state"],
    buckets=RUN_BUCKETS,
)

# In workers

RUNNING_HERE = Gauge(
    "liveops_worker_running",
    "Operations that this worker runs now.",
    multiprocess_mode="livesum",
)
FLUSH_SECONDS = Histogram(
    "liveops_flush_seconds",
    "How long it took to record what a run had reported since the last time.",
    buckets=FLUSH_BUCKETS,
)
FLUSHES_POSTPONED = Counter(
    "liveops_flushes_postponed_total",
    "Times that the database could not take a report, so that it was written later.",
)
SWEEPS = Counter("liveops_sweeps_total", "Searches for lost runs and lost messages.")

# In web servers

WEBSOCKETS_REFUSED = Counter(
    "liveops_websockets_refused_total",
    "Websockets that were refused, or closed for a reason, by close code; 403: before the accept.",
    ["code"],
)
FRAME_BYTES = Summary("liveops_frame_bytes", "Frames that were sent to browsers, and their sizes.")
WEBSOCKETS = Reading(
    "liveops_websockets",
    "Open websockets: watching an operation, or waiting because they have not subscribed yet.",
    ("state",),
)
RECORD_UP = Reading("liveops_record_up", "1 if the database answered for the lines below, else 0.")
OPERATIONS = Reading(
    "liveops_operations",
    "Operations that are queued or running, according to the database.",
    ("kind", "state"),
)
QUEUE_OLDEST = Reading(
    "liveops_queue_oldest_seconds",
    "For how long the oldest operation has been waiting for a worker; 0: none waits.",
    ("kind",),
)


def count_move(kind: str, to: str, ran_since: datetime | None) -> None:
    """An operation came into this state; one that comes back to QUEUED was retried."""
    if to == "QUEUED":
        RETRIED.labels(kind).inc()
    elif to != "RUNNING":
        ENDED.labels(kind, to).inc()
        if ran_since is not None:
            RUN_SECONDS.labels(kind, to).observe(seconds_since(ran_since))


def seconds_since(moment: datetime) -> float:
    """The clock of the database, or of another host, may be ahead of this one's."""
    return max(0.0, (timezone.now() - moment).total_seconds())


def show_zeros(kinds: Iterable[str], finished: Iterable[str]) -> None:
    """Show a 0 for what has not happened yet, so that its first time can be seen."""
    for kind in kinds:
        STARTED.labels(kind)
        RETRIED.labels(kind)
        for state in finished:
            ENDED.labels(kind, state)
