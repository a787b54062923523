"""How a run ended."""

from dataclasses import dataclass

from liveops.models import LiveOperation, State


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the reporter records as the last thing of a run."""

    state: State
    # For the audit trail.
    why: str = ""
    # For the user; shown escaped.
    error: str = ""
    # For staff.
    traceback: str = ""
    # Where pages go that watched it succeed.
    redirect: str | None = None
    # Not saved yet; starts when this outcome is recorded.
    next_operation: LiveOperation | None = None
