"""Signs of life of the scheduler, which sends sweeps, and of the workers, which run them."""

from typing import Any

from celery.signals import (
    after_task_publish,
    beat_init,
    heartbeat_sent,
    worker_shutdown,
    worker_shutting_down,
)

from liveops import alive_file
from liveops.hints import leave_time
from liveops.roster import Presence

presence = Presence()


@beat_init.connect
def listen(**_kwargs: Any) -> None:
    """In the scheduler's process alone, because others may send a sweep too."""
    after_task_publish.connect(note_that_beat_sent_a_sweep, sender="liveops.sweep")


def note_that_beat_sent_a_sweep(**_kwargs: Any) -> None:
    alive_file.touch()
    leave_time("beat")


def note_that_a_sweep_ran() -> None:
    leave_time("sweep")


@heartbeat_sent.connect
def note_that_a_worker_beats(sender: Any, **_kwargs: Any) -> None:
    """Called in a worker's main process, however busy its pool is. `sender`: Celery's `Heart`."""
    alive_file.touch()
    presence.renew(sender.eventer.hostname)


@worker_shutting_down.connect
def note_that_a_worker_shuts_down(**_kwargs: Any) -> None:
    """Called within a signal handler. A cold shutdown gives one last heartbeat and no more."""
    presence.leave()


@worker_shutdown.connect
def note_that_a_worker_ends(sender: Any, **_kwargs: Any) -> None:
    presence.end(sender.hostname)
