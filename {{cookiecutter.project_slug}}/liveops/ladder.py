"""What becomes of a cancel request that a run does not obey."""

import time
from collections.abc import Callable
from enum import Enum

from django.utils.translation import gettext as _

from liveops.buffer import ReportBuffer
from liveops.conf import conf
from liveops.exceptions import OperationCancelled
from liveops.run_thread import RunThread


class Rung(Enum):
    """How far the request has climbed."""

    NOT_ASKED = 0
    # The run ends at its next check.
    ASKED = 1
    # After CANCEL_GRACE: an exception in its Python code.
    INTERRUPTED = 2
    # After another CANCEL_GRACE: the end of its process.
    TERMINATED = 3


class CancelLadder:
    """Climbs a rung each CANCEL_GRACE, and says so in the log of the run.

    `terminate` ends the process of the run; without it the ladder ends a rung earlier.
    """

    def __init__(
        self, buffer: ReportBuffer, run: RunThread, terminate: Callable[[], None] | None
    ) -> None:
        self.rung = Rung.NOT_ASKED
        self.terminate = terminate
        self._buffer = buffer
        self._run = run
        self._climbed_at = 0.0

    def ask(self) -> None:
        if self.rung is Rung.NOT_ASKED:
            self._reach(Rung.ASKED, _("Cancel requested: the run ends at its next check."))
            self._buffer.interrupt(OperationCancelled())

    def climb(self) -> None:
        """Take the next rung if the run has had its time."""
        if time.monotonic() - self._climbed_at < conf.CANCEL_GRACE:
            return
        if self.rung is Rung.ASKED and self._run.interrupt():
            self._reach(Rung.INTERRUPTED, _("The run does not check: interrupting its code."))
        elif self.rung is Rung.INTERRUPTED and self.terminate is not None:
            self._reach(Rung.TERMINATED, _("The run does not react: ending its process."))

    def _reach(self, rung: Rung, line: str) -> None:
        self.rung = rung
        self._climbed_at = time.monotonic()
        self._buffer.note(line)
