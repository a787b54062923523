"""For tests of operations: a `p` that remembers what was reported, without Redis or threads.

p = RecordingProgress(operation)
operation.run(p)
assert p.results["created"] == 3
"""

from typing import Any

from liveops.exceptions import OperationCancelled
from liveops.models import LiveOperation
from liveops.progress import Progress
from liveops.text import clean


class RecordingSink:
    """Keeps every report in order."""

    def __init__(self, cancel_after: int | None) -> None:
        self.updates: list[tuple[str, Any]] = []
        self.logs: list[tuple[str, str]] = []
        self.swaps: list[tuple[str, str]] = []
        self._checks_left = cancel_after

    def update(self, **columns: Any) -> None:
        self.updates.extend(columns.items())

    def show_region(self, selector: str, html: str) -> None:
        self.swaps.append((selector, html))

    def log(self, level: str, text: str) -> None:
        self.logs.append((level, clean(text)))

    def checkpoint(self, cursor: Any) -> None:
        self.updates.append(("cursor", cursor))

    def check(self) -> None:
        if self._checks_left is None:
            return
        self._checks_left -= 1
        if self._checks_left < 0:
            raise OperationCancelled

    def all(self, column: str) -> list[Any]:
        return [value for name, value in self.updates if name == column]


class RecordingProgress(Progress):
    """The `p` of a test. Templates, JSON values and levels are checked as in a real run.

    `cancel_after=n`: the check after the first n raises OperationCancelled, as if somebody had
    clicked Cancel then. `p.track()` checks before each item.
    """

    def __init__(self, operation: LiveOperation, *, cancel_after: int | None = None) -> None:
        self._recorded = RecordingSink(cancel_after)
        super().__init__(operation, self._recorded)

    @property
    def statuses(self) -> list[str]:
        return self._recorded.all("status_text")

    @property
    def percents(self) -> list[float | None]:
        return self._recorded.all("percent")

    @property
    def tracking(self) -> list[dict[str, Any] | None]:
        """What `p.track()` showed: label, unit, done, total, rate, eta; None: `p.percent()`."""
        return self._recorded.all("tracking")

    @property
    def logs(self) -> list[tuple[str, str]]:
        """`(level, text)` of each line."""
        return self._recorded.logs

    @property
    def stages(self) -> dict[str, str]:
        """Name → active, done, failed or cancelled, in the order in which they began."""
        states = self._recorded.all("stage_states")
        return {name: stage["state"] for name, stage in states[-1].items()} if states else {}

    @property
    def results(self) -> dict[str, Any]:
        """What the result template would get."""
        given = self._recorded.all("result_context")
        return given[-1] if given else {}

    @property
    def checkpoints(self) -> list[Any]:
        return self._recorded.all("cursor")

    @property
    def errors(self) -> list[str]:
        return self._recorded.all("error")

    @property
    def swaps(self) -> list[tuple[str, str]]:
        """`(selector, html)` of each `p.swap()` and `p.html()`."""
        return self._recorded.swaps
