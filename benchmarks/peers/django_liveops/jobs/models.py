"""What the benchmark runs on django-liveops."""

from typing import Any

from bench_work import perform
from django.db import models
from liveops.models import LiveOperation


class Job(LiveOperation):
    plan = models.JSONField(default=dict)

    class Meta:
        app_label = "jobs"

    def run(self, p: Any) -> None:
        p.result(perform(self.plan, p.log, lambda value: p.percent(int(value))))
