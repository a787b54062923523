"""Worker and scheduler: whether they live, and do what the site needs of them."""

import time

from celery import current_app
from celery.schedules import maybe_schedule

from liveops.doctor.diagnosis import Check, Wrong
from liveops.hints import last_time
from liveops.queues import queues_of_kinds

ANSWER_WITHIN = 3.0
TASKS = ("liveops.run_operation", "liveops.sweep", "liveops.purge")
# How often the sweep is sent when the schedule does not say.
SWEEP_EVERY = 10.0
# A sign of life may come so much later than it is due.
LATE = 1.5
LONGEST_WAIT = 45.0
CLOCKS_DIFFER = 2.0


def check_workers() -> str:
    workers = current_app.control.inspect(timeout=ANSWER_WITHIN).active_queues()
    if not workers:
        raise Wrong(f"none answered within {ANSWER_WITHIN:g} s")
    consumed = {queue["name"] for queues in workers.values() for queue in queues}
    of_kinds = queues_of_kinds()
    wanted = {current_app.amqp.router.route({}, task)["queue"].name for task in TASKS} | {*of_kinds}
    if missing := sorted(wanted - consumed):
        waiting = [name for queue in missing for name in of_kinds.get(queue, [])]
        wait = f"; so these wait for ever: {', '.join(sorted(waiting))}" if waiting else ""
        raise Wrong(
            f"{', '.join(sorted(workers))}: none of them takes messages from {', '.join(missing)}, "
            f"only from {', '.join(sorted(consumed))}{wait}",
            f"Start one more with `celery -A config worker --queues {','.join(missing)}`, or the "
            "workers without `--queues`, which take from all; or correct the kinds' `queue`, "
            "CELERY_TASK_ROUTES and CELERY_TASK_DEFAULT_QUEUE.",
        )
    return f"{', '.join(sorted(workers))} takes messages from {', '.join(sorted(wanted))}"


def check_beat() -> str:
    return f"it sent a sweep {_wait_for('beat', 'it sent no sweep')}"


def check_sweeps() -> str:
    return f"a worker ran one {_wait_for('sweep', 'no worker ran one')}"


def _wait_for(event: str, what: str) -> str:
    """How long ago this happened; waits until it is due again when that is too long ago."""
    latest = LATE * sweep_every()
    deadline = time.monotonic() + min(latest, LONGEST_WAIT)
    while (at := last_time(event)) is None or time.time() - at > latest:
        if time.monotonic() > deadline:
            since = "as far as is known" if at is None else f"for {time.time() - at:.0f} s"
            raise Wrong(f"{what} {since}")
        time.sleep(0.5)
    age = time.time() - at
    if age < -CLOCKS_DIFFER:
        raise Wrong(
            f"it says that this happened in {-age:.0f} s from now: the clock of its host is ahead",
            "Let all hosts take the time from the network (NTP: chrony or systemd-timesyncd).",
        )
    return f"{max(age, 0):.0f} s ago"


def sweep_every() -> float:
    """In seconds."""
    for entry in (current_app.conf.beat_schedule or {}).values():
        if entry["task"] == "liveops.sweep":
            return float(getattr(maybe_schedule(entry["schedule"]), "seconds", SWEEP_EVERY))
    return SWEEP_EVERY


CHECKS = (
    Check(
        name="Worker",
        examine=check_workers,
        mend="Start one with `celery -A config worker`, with the same BROKER_URL as this site; "
        "if one runs, its log says what is wrong.",
        needs=("Broker",),
    ),
    Check(
        name="Beat",
        examine=check_beat,
        mend="Start it, exactly once, with `celery -A config beat`, with the same REDIS_URL and "
        "BROKER_URL as this site; if it runs, its log says what is wrong.",
        within=60.0,
        needs=("Broker", "Cache"),
    ),
    Check(
        name="Sweeps",
        examine=check_sweeps,
        mend="All processes of the workers are busy with operations: start more of them, with "
        "`celery -A config worker --concurrency N`.",
        within=60.0,
        needs=("Broker", "Cache", "Worker", "Beat"),
    ),
)
