"""The last look at an outcome before it is recorded."""

import time
import traceback
from dataclasses import replace

from django.utils.translation import gettext as _

from liveops.failures import DATABASE_UNAVAILABLE
from liveops.fragments import render_result
from liveops.models import LiveOperation, State
from liveops.outcome import Outcome
from liveops.text import clean

RELOAD_EVERY = 1.0


def judge(operation: LiveOperation, outcome: Outcome) -> Outcome:
    """A result that cannot be shown is a failure, and says so instead of showing nothing."""
    if outcome.state is not State.SUCCEEDED:
        return outcome
    try:
        reload_own_fields(operation)
        render_result(operation)
    except Exception:  # noqa: BLE001 (a template of the site's own may raise anything)
        text = _("The work was done, but its result cannot be shown.")
        return _spoilt(outcome, "the result template raised", text)
    return outcome


def without_next(outcome: Outcome) -> Outcome:
    """For the exception at hand: the operation that was to follow cannot be saved."""
    text = _("The work was done, but the operation that was to follow could not be started.")
    return _spoilt(outcome, "the next operation could not be saved", text)


def _spoilt(outcome: Outcome, why: str, error: str) -> Outcome:
    return replace(
        outcome,
        state=State.FAILED,
        why=why,
        error=error,
        traceback=clean(traceback.format_exc()),
        redirect=None,
        next_operation=None,
    )


def reload_own_fields(operation: LiveOperation) -> None:
    """`run()` may have saved fields of its kind, which the result template shows."""
    own = [] if operation._meta.proxy else operation._meta.local_fields
    names = [field.name for field in own if not field.primary_key]
    while names:
        try:
            operation.refresh_from_db(fields=names)
        except DATABASE_UNAVAILABLE:
            time.sleep(RELOAD_EVERY)
        else:
            return


def redirect_of(outcome: Outcome) -> str | None:
    """Where the pages go that watched this end."""
    if outcome.next_operation is not None:
        return outcome.next_operation.get_absolute_url()
    return outcome.redirect
