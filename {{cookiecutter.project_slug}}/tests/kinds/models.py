"""Kinds that behave in one particular way, for tests of the engine."""

import logging
import re
import time
from contextlib import suppress
from typing import Any

from django.db import models, transaction

from liveops.exceptions import OperationError
from liveops.models import LiveOperation
from tests.kinds.effects import Deeds, Effect, Ledger
from tests.kinds.guarded import Guarded
from tests.kinds.parrot import Parrot, Titled

__all__ = [
    "Burst",
    "Chatter",
    "Deeds",
    "Effect",
    "Failing",
    "Flood",
    "Greeting",
    "Guarded",
    "Heavy",
    "Ledger",
    "Locked",
    "Parrot",
    "Patient",
    "Showcase",
    "Stubborn",
    "Titled",
]


# What must not leave the site.
PERSONAL = "ann.example+secret@example.org"


class Greeting(LiveOperation):
    """The smallest kind: says hello."""

    class Meta:
        proxy = True

    def run(self, p: Any) -> None:
        p.status("Greeting")
        p.log("Hello")
        p.result(greeting="Hello")


class Chatter(LiveOperation):
    """Logs numbered lines, as fast as it can or with pauses."""

    lines = models.PositiveIntegerField(default=1_000)
    # After so many lines it sleeps for `pause` seconds.
    burst = models.PositiveIntegerField(default=1)
    pause = models.FloatField(default=0.0)

    stages = ["First half", "Second half"]

    def run(self, p: Any) -> None:
        numbers = iter(p.track(range(1, self.lines + 1), unit="line"))
        for stage in self.stages:
            with p.stage(stage):
                for number in numbers:
                    p.log(f"line {number}")
                    if self.pause and number % self.burst == 0:
                        time.sleep(self.pause)
                    if number == self.lines // 2:
                        break
        p.result(lines=self.lines)


class Burst(LiveOperation):
    """Logs 20,000 lines at once and says what a call cost."""

    LINES = 20_000

    class Meta:
        proxy = True

    def run(self, p: Any) -> None:
        began = time.perf_counter()
        for number in range(1, self.LINES + 1):
            p.log(f"line {number}")
        p.result(microseconds_per_call=(time.perf_counter() - began) / self.LINES * 1e6)


class Flood(LiveOperation):
    """Logs `rate` lines a second, with little else to do."""

    seconds = models.FloatField(default=10.0)
    rate = models.PositiveIntegerField(default=10_000)

    def run(self, p: Any) -> None:
        began = time.monotonic()
        for number in range(1, int(self.seconds * self.rate) + 1):
            p.log(f"line {number}")
            if number % 100 == 0:
                time.sleep(max(0.0, began + number / self.rate - time.monotonic()))
        p.result(seconds=time.monotonic() - began)


class Locked(LiveOperation):
    """Holds one transaction, with a write in it, for the whole run."""

    seconds = models.FloatField(default=10.0)
    written = models.PositiveIntegerField(default=0, editable=False)

    def run(self, p: Any) -> None:
        # By this loop a run ends early when it is cancelled.
        until = time.monotonic() + self.seconds
        with transaction.atomic():
            while time.monotonic() < until:
                p.check_cancelled()
                self.written += 1
                self.save(update_fields=["written"])
                p.log(f"line {self.written}")
                p.status(f"wrote {self.written}")
                time.sleep(0.02)
        p.result(written=self.written)


class Failing(LiveOperation):
    """Fails in one of the ways that there are."""

    how = models.CharField(max_length=20)

    def run(self, p: Any) -> None:
        p.log("before")
        match self.how:
            case "raise":
                raise RuntimeError("<b>secret</b> detail")
            case "operation-error":
                raise OperationError("the <b>file</b> is empty")
            case "p.error":
                p.error("no <b>luck</b>")
            case "no-json":
                p.result(value=object())
            case "template":
                p.result(broken=1)
            case "aloud":
                mine = logging.getLogger("operations.mine")
                mine.info("Reading", extra={"rows": 3})
                mine.error(f"no mail to {PERSONAL}")
                raise ValueError(f"{PERSONAL} is no number")


class Patient(LiveOperation):
    """Runs until its row says that it may end, or until it is cancelled."""

    may_end = models.BooleanField(default=False)
    restarts = models.PositiveIntegerField(default=0, editable=False)

    def run(self, p: Any) -> None:
        p.log(f"attempt {self.attempt}")
        p.percent(10)
        while not type(self).objects.values_list("may_end", flat=True).get(pk=self.pk):
            p.check_cancelled()
            time.sleep(0.02)
        p.result(attempt=self.attempt)

    def on_restart(self) -> None:
        type(self).objects.filter(pk=self.pk).update(restarts=models.F("restarts") + 1)


class Heavy(LiveOperation):
    """Has workers of its own; chains to another one of its kind, or to a kind without."""

    chain = models.CharField(max_length=20, blank=True, default="")

    queue = "heavy"

    def run(self, p: Any) -> None:
        match self.chain:
            case "heavy":
                p.chain_to(Heavy())
            case "greeting":
                p.chain_to(Greeting())


class Showcase(LiveOperation):
    """Fills a region, chains, and goes elsewhere when it has succeeded."""

    chain = models.BooleanField(default=False)

    def run(self, p: Any) -> None:
        p.html("#first", "<p>one</p>")
        p.html("#first", "<p>two</p>", mode="beforeend")
        p.swap("#second", html_raw="<i>raw</i>")
        if self.chain:
            p.chain_to(Greeting())

    def get_success_url(self) -> str:
        return "/operations/"


class Stubborn(LiveOperation):
    """Never checks whether it should end."""

    how = models.CharField(max_length=20)

    def run(self, p: Any) -> None:
        p.log("line 1")
        match self.how:
            case "loop":
                while True:
                    sum(range(1000))
            case "call":
                time.sleep(3600)
            case "interpreter":
                # One call into C that never comes back and lets no other thread run.
                re.match("(a+)+$", "a" * 64 + "b")
            case "deaf":
                while True:
                    with suppress(BaseException):
                        while True:
                            sum(range(1000))
