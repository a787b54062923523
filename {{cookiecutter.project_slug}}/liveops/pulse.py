"""Signs of life of the scheduler, which sends sweeps, and of the workers, which run them."""

from typing import Any

from celery.signals import after_task_publish, beat_init

from liveops.hints import leave_time


@beat_init.connect
def listen(**_kwargs: Any) -> None:
    """In the scheduler's process alone, because others may send a sweep too."""
    after_task_publish.connect(note_that_beat_sent_a_sweep, sender="liveops.sweep")


def note_that_beat_sent_a_sweep(**_kwargs: Any) -> None:
    leave_time("beat")


def note_that_a_sweep_ran() -> None:
    leave_time("sweep")
