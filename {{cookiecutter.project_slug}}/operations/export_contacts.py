"""Export contacts: the address book as a CSV file."""

import csv
from collections.abc import Iterable
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.files import File
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from liveops.exceptions import LeaseLost
from liveops.models import LiveOperation, discard_file
from liveops.progress import Progress
from operations.contacts import Contact
from operations.files import private_path
from operations.spreadsheet import guard

COLUMNS = ["name", "email", "phone", "company", "city", "country", "notes"]


class Delimiter(models.TextChoices):
    """What stands between two cells."""

    COMMA = "comma", gettext_lazy("Comma")
    SEMICOLON = "semicolon", gettext_lazy("Semicolon (Excel in most of Europe)")
    TAB = "tab", gettext_lazy("Tab")

    @property
    def character(self) -> str:
        return {"comma": ",", "semicolon": ";", "tab": "\t"}[self.value]


class ExportContacts(LiveOperation):
    """Writes a file that `ImportContacts` reads back as it was, and that spreadsheets open."""

    title = gettext_lazy("Export contacts")
    description = gettext_lazy(
        "Writes your address book to a CSV file that only you can download. "
        "Spreadsheets open it safely, and an import reads it back unchanged."
    )
    icon = "📤"
    stages = ["Write", "Store"]
    downloads = ("output",)

    delimiter = models.CharField(
        gettext_lazy("delimiter"), max_length=10, choices=Delimiter, default=Delimiter.COMMA
    )
    country = models.CharField(
        gettext_lazy("country"),
        max_length=100,
        blank=True,
        help_text=gettext_lazy("Only contacts of this country. Leave it empty for all of them."),
    )
    output = models.FileField(
        gettext_lazy("file"), upload_to=private_path, max_length=255, blank=True, editable=False
    )

    class Meta:
        verbose_name = gettext_lazy("contact export")
        verbose_name_plural = gettext_lazy("contact exports")

    def run(self, p: Progress) -> None:
        contacts = self._contacts()
        total = contacts.count()
        text = ngettext("Writing %(count)s contact", "Writing %(count)s contacts", total)
        p.status(text % {"count": intcomma(total)})
        # Without a name on disk, so that nothing is left of it, whatever ends the run.
        with TemporaryFile() as file:
            with p.stage("Write"):
                rows = contacts.values_list(*COLUMNS).iterator()
                count = self._write(file, p.track(rows, total=total, unit=_("contact")))
            with p.stage("Store"):
                size = self._store(p, file)
        p.result(rows=count, size=size, country=self.country, file_name=self.output.name)
        if count:
            p.status(_("The file is ready"), "success")
        else:
            p.status(_("No contact matches; the file has only its header"), "warning")

    def on_restart(self) -> None:
        if self.output:
            discard_file(self.output)
            ExportContacts._base_manager.filter(pk=self.pk).update(output="")

    def _contacts(self) -> models.QuerySet[Contact]:
        mine = Contact.objects.filter(owner_id=self.owner_id).order_by("name", "pk")
        return mine.filter(country__iexact=self.country) if self.country else mine

    def _write(self, file: IO[bytes], rows: Iterable[tuple[str, ...]]) -> int:
        """Write header and rows; returns how many rows."""
        # With a byte-order mark, without which Excel takes UTF-8 for something else.
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        delimiter = Delimiter(self.delimiter).character
        writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        count = 0
        for row in rows:
            writer.writerow(map(guard, row))
            count += 1
        text.flush()
        text.detach()
        return count

    def _store(self, p: Progress, file: IO[bytes]) -> int:
        """Keep the finished file, whole or not at all; returns its bytes."""
        p.check_cancelled()
        storage = self.output.storage
        path = private_path(self, f"contacts-{timezone.localdate():%Y-%m-%d}.csv")
        try:
            self.output.name = storage.save(path, File(file, name=path))
            # The attempt, because a worker that was declared lost may still come this far.
            this_run = ExportContacts._base_manager.filter(pk=self.pk, attempt=self.attempt)
            if not this_run.update(output=self.output.name):
                raise LeaseLost(f"attempt {self.attempt} of {self.pk} is over")
        except BaseException:
            storage.delete(path)
            raise
        return storage.size(self.output.name)


class ExportContactsForm(forms.ModelForm):
    """What to export, and for which program."""

    class Meta:
        model = ExportContacts
        fields = ["delimiter", "country"]


ExportContacts.form_class = ExportContactsForm
