"""Says what of the running site does not work, and how to mend it."""

import sys
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from liveops.doctor.diagnosis import Diagnosis, Verdict, examine_all
from liveops.doctor.rounds import CHECKS


class Command(BaseCommand):
    help = (
        "Check database, broker, channel layer, cache, worker, scheduler, clocks and files of the "
        "running site. Exits with 0 when nothing is wrong, else with 1."
    )
    # The first check says better what these would.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        verdicts: Counter[Verdict] = Counter()
        for diagnosis in examine_all(CHECKS):
            verdicts[diagnosis.verdict] += 1
            self._say(diagnosis)
        bad = verdicts[Verdict.WRONG] + verdicts[Verdict.UNKNOWN]
        if bad:
            self.stdout.write(f"\n{bad} of {verdicts.total()} checks failed.")
            sys.exit(1)

    def _say(self, diagnosis: Diagnosis) -> None:
        style = {
            Verdict.OK: self.style.SUCCESS,
            Verdict.WARNING: self.style.WARNING,
            Verdict.WRONG: self.style.ERROR,
            Verdict.UNKNOWN: self.style.WARNING,
        }[diagnosis.verdict]
        self.stdout.write(f"{style(f'{diagnosis.verdict:<8}')} {diagnosis.name}: {diagnosis.what}")
        if diagnosis.mend:
            self.stdout.write(f"{'':<9}→ {diagnosis.mend}")
        self.stdout.flush()
