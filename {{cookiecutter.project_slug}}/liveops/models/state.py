"""The states of an operation."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """QUEUED → RUNNING → one of the others. Only a retry leads back to QUEUED."""

    # Waits for a worker.
    QUEUED = "QUEUED", _("Queued")
    # A worker holds the lease and renews its heartbeat.
    RUNNING = "RUNNING", _("Running")
    # `run()` came back.
    SUCCEEDED = "SUCCEEDED", _("Succeeded")
    # `run()` raised or called `p.error()`.
    FAILED = "FAILED", _("Failed")
    # Ended on somebody's request.
    CANCELLED = "CANCELLED", _("Cancelled")
    # The worker vanished: no sign of life for `LOST_AFTER`.
    LOST = "LOST", _("Worker lost")


ACTIVE = frozenset({State.QUEUED, State.RUNNING})
FINISHED = frozenset(State) - ACTIVE
RETRYABLE = (State.FAILED, State.CANCELLED, State.LOST)
