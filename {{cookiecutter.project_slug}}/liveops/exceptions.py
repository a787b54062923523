"""What can end a run early."""


class OperationError(Exception):
    """An operation cannot go on for a reason that its user can act upon.

    The operation ends FAILED and its page shows this text, escaped. The text of any other
    exception stays with staff.
    """


class RunInterrupted(BaseException):
    """Ends `run()` from outside. No `Exception`, so that `except Exception` lets it pass."""


class OperationCancelled(RunInterrupted):
    """Somebody asked for this run to end."""


class LeaseLost(RunInterrupted):
    """The row belongs to another attempt by now, or is gone: this run must write nothing more."""
