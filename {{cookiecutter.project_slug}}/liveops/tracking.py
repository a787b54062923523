"""How fast a loop goes, and when it will be done."""

import time
from typing import Any

# Reports per second are bounded, whatever the loop does.
REPORT_EVERY = 0.1
# Older speed counts less: after so many seconds about a third of it is left.
MEMORY = 10.0


class Pace:
    """Counts items; says now and then how many per second and how many seconds are left.

    `total` may be None: then there is neither percent nor time left.
    """

    def __init__(self, total: int | None, label: str, unit: str) -> None:
        self.total = total
        self.label = label
        self.unit = unit
        self.done = 0
        self._rate = 0.0
        self._measured_done = 0
        self._measured_at = self._started_at = time.monotonic()

    def skip(self, count: int) -> None:
        """So many were done before: part of the percent, but not of the speed."""
        self.done = self._measured_done = count

    def due(self) -> bool:
        return time.monotonic() - self._measured_at >= REPORT_EVERY

    def report(self) -> dict[str, Any]:
        """Return the column `tracking`: label, unit, done, total, rate, eta."""
        now = time.monotonic()
        elapsed = now - self._measured_at
        if elapsed > 0:
            latest = (self.done - self._measured_done) / elapsed
            # Early on the average is all there is to go by.
            weight = max(elapsed / MEMORY, elapsed / (now - self._started_at))
            self._rate += (latest - self._rate) * min(weight, 1.0)
        self._measured_at, self._measured_done = now, self.done
        return {
            "label": self.label,
            "unit": self.unit,
            "done": self.done,
            "total": self.total,
            "rate": round(self._rate, 2),
            "eta": self._eta(),
        }

    @property
    def percent(self) -> float | None:
        if self.total is None:
            return None
        return min(100.0, round(100 * self.done / self.total, 2)) if self.total else 100.0

    def _eta(self) -> float | None:
        if self.total is None or self._rate <= 0:
            return None
        return round(max(0, self.total - self.done) / self._rate, 1)
