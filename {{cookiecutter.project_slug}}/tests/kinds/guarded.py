"""A kind that only a group may use, with everything that must not leak."""

from typing import Any

from django.core.files.base import ContentFile
from django.db import models

from liveops.models import LiveOperation

GROUP = "Auditors"


class Guarded(LiveOperation):
    """Says its note in every place where an operation can say something."""

    note = models.CharField(max_length=200, default="nothing")
    report = models.FileField(upload_to="reports", editable=False)

    required_group = GROUP
    downloads = ("report",)

    def run(self, p: Any) -> None:
        p.status(self.note)
        p.log(self.note)
        self.report.save("report.txt", ContentFile(self.note.encode()))
        p.result(note=self.note)
