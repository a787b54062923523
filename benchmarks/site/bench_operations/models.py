"""What the benchmark runs on the generated site."""

from typing import Any

from bench_work import perform
from django.db import models
from liveops.models import LiveOperation


class Job(LiveOperation):
    """Reports as its plan says; see `bench_work`."""

    plan = models.JSONField(default=dict)

    def run(self, p: Any) -> None:
        p.result(perform(self.plan, p.log, p.percent))
