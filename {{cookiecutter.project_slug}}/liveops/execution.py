"""One run of an operation, from the claimed row to its outcome."""

import logging
import traceback
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from liveops.exceptions import LeaseLost, OperationCancelled, OperationError
from liveops.locks import wait_for_locks
from liveops.metrics import RUNNING_HERE
from liveops.models import LiveOperation, State
from liveops.outcome import Outcome
from liveops.progress import Progress
from liveops.record import success_url
from liveops.reporter import ProgressReporter
from liveops.run_context import working_for
from liveops.text import clean

logger = logging.getLogger(__name__)

PATIENCE_MS = 600_000


def execute(
    operation: LiveOperation, *, terminate: Callable[[], None] | None = None
) -> LiveOperation | None:
    """Run a claimed operation and record how it ended.

    Returns the operation that waits for a worker now because this one chained to it. `terminate`
    ends the process when a cancel request cannot be obeyed otherwise. Raises SystemExit, with the
    operation LOST, when the worker is shut down during the run.
    """
    if connection.vendor == "sqlite":
        # SQLite has one writer at a time: a run waits for its turn, as it would for PostgreSQL.
        wait_for_locks(PATIENCE_MS)
    language = operation.language or settings.LANGUAGE_CODE
    with (
        translation.override(language),
        working_for(operation),
        RUNNING_HERE.track_inprogress(),
    ):
        reporter = ProgressReporter(operation, terminate=terminate)
        reporter.start()
        try:
            outcome = _run(operation, reporter)
        except LeaseLost:
            logger.warning("%s attempt %s lost its lease", operation.pk, operation.attempt)
            outcome = Outcome(state=State.LOST)
        except BaseException:
            # A shutdown, as a rule. What was reported is kept, and the run can start again.
            reporter.finish(Outcome(state=State.LOST, why="the worker was shut down"))
            raise
        state = reporter.finish(outcome)
    return outcome.next_operation if state is State.SUCCEEDED else None


def _run(operation: LiveOperation, reporter: ProgressReporter) -> Outcome:
    p = Progress(operation, reporter.buffer)
    try:
        try:
            operation.run(p)
        finally:
            reporter.leave_run()
    except OperationCancelled:
        return Outcome(state=State.CANCELLED, why="the run obeyed the cancel request")
    except OperationError as error:
        return _failed(clean(error))
    except Exception as error:
        # The one broad net: whatever a run raises is recorded, and told to staff in full.
        logger.exception("%s attempt %s failed", operation.pk, operation.attempt)
        return _failed(
            _("Something went wrong (%(error)s). The staff can see the details.")
            % {"error": type(error).__name__}
        )
    if p.failure:
        return Outcome(state=State.FAILED, why="p.error()", error=p.failure)
    return Outcome(
        state=State.SUCCEEDED,
        redirect=success_url(operation),
        next_operation=p.chained,
    )


def _failed(message: str) -> Outcome:
    return Outcome(
        state=State.FAILED,
        why="run() raised",
        error=message,
        traceback=clean(traceback.format_exc()),
    )
