"""What the stack test adds to the site, as its users add operations of their own."""

import time
from typing import Any

from django.db import models

from liveops.models import LiveOperation


class CountLines(LiveOperation):
    """Logs numbered lines with pauses, and goes on from there when its worker is lost."""

    lines = models.PositiveIntegerField(default=100)
    pause = models.FloatField(default=0.1)

    retry_when_lost = True

    def run(self, p: Any) -> None:
        for number in range((p.cursor or 0) + 1, self.lines + 1):
            p.check_cancelled()
            p.log(f"line {number}")
            # Recorded in one transaction with the line.
            p.checkpoint(number)
            p.percent(100 * number / self.lines)
            time.sleep(self.pause)
        p.result(lines=self.lines)
