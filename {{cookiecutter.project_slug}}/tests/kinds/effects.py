"""Kinds that do something to the world, which tests count afterwards."""

import time
from typing import Any

from django.db import models, transaction

from liveops.models import LiveOperation


class Effect(models.Model):
    """What an operation did to the world, once for each step; nothing here forbids doubles."""

    operation_id = models.UUIDField(db_index=True)
    attempt = models.PositiveIntegerField()
    step = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"step {self.step} of {self.operation_id} in attempt {self.attempt}"


class Deeds(LiveOperation):
    """Leaves an effect and a log line per step. Each attempt starts over."""

    steps = models.PositiveIntegerField(default=20)
    pause = models.FloatField(default=0.05)

    def run(self, p: Any) -> None:
        for step in p.track(range(1, self.steps + 1), unit="step"):
            Effect.objects.create(operation_id=self.pk, attempt=self.attempt, step=step)
            p.log(f"line {step}")
            time.sleep(self.pause)
        p.result(steps=self.steps)


class Ledger(LiveOperation):
    """Leaves an effect per step, each in one transaction with the memory of it, and goes on from
    there when its worker is lost.
    """

    steps = models.PositiveIntegerField(default=20)
    pause = models.FloatField(default=0.05)

    retry_when_lost = True

    def run(self, p: Any) -> None:
        done = p.cursor or 0
        for step in range(done + 1, self.steps + 1):
            p.check_cancelled()
            with transaction.atomic():
                Effect.objects.create(operation_id=self.pk, attempt=self.attempt, step=step)
                p.checkpoint(step)
            p.log(f"line {step - done}")
            p.percent(100 * step / self.steps)
            time.sleep(self.pause)
        p.result(steps=self.steps)
