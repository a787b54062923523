"""Import contacts: all of a CSV file, or nothing of it."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.validators import FileExtensionValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from liveops.exceptions import OperationError
from liveops.models import LiveOperation
from liveops.progress import Progress
from operations.contact_file import ContactFile, Findings
from operations.contact_rows import BadRow
from operations.contacts import count_known, save_contacts
from operations.files import private_path
from operations.find_duplicates import FindDuplicates
from operations.text_encoding import FileEncoding, UnreadableFileError, spoken

# More would not only take long: to find repeated addresses, a hash of each is kept.
MAX_ROWS = 1_000_000
# Bad rows that the message of a failed import names; the log has more of them.
SAID = 5


class ImportContacts(LiveOperation):
    """Reads a file twice: to check every row, and to save them all in one short transaction."""

    title = gettext_lazy("Import contacts")
    description = gettext_lazy(
        "Reads a CSV file into your address book. Delimiter and encoding are recognised, every "
        "row is checked before anything is saved, and contacts you already have are updated."
    )
    icon = "📥"
    stages = ["Read", "Check", "Save"]

    file = models.FileField(
        gettext_lazy("file"),
        upload_to=private_path,
        max_length=255,
        validators=[FileExtensionValidator(["csv", "tsv", "txt"])],
        help_text=gettext_lazy(
            "CSV. The first line names the columns: email and name, or first name and last name; "
            "phone, company, city, country and notes if you like."
        ),
    )
    encoding = models.CharField(
        gettext_lazy("encoding"),
        max_length=20,
        choices=[("", gettext_lazy("Recognise it")), *FileEncoding.choices],
        blank=True,
        help_text=gettext_lazy("Choose it if letters with accents came out wrong."),
    )
    dry_run = models.BooleanField(
        gettext_lazy("dry run"),
        default=False,
        help_text=gettext_lazy("Check the file and say what an import would do; save nothing."),
    )
    skip_bad_rows = models.BooleanField(
        gettext_lazy("leave bad rows out"),
        default=False,
        help_text=gettext_lazy("Save the good rows; otherwise one bad row stops the import."),
    )
    find_duplicates_afterwards = models.BooleanField(
        gettext_lazy("find duplicates afterwards"),
        default=False,
        help_text=gettext_lazy("Search your whole address book once the import is done."),
    )

    class Meta:
        verbose_name = gettext_lazy("contact import")
        verbose_name_plural = gettext_lazy("contact imports")

    @property
    def file_name(self) -> str:
        return PurePath(self.file.name or "").name

    def run(self, p: Progress) -> None:
        try:
            self._import(p)
        except UnreadableFileError as error:
            raise OperationError(str(error)) from error
        except FileNotFoundError as error:
            text = _("The uploaded file %(name)s is gone. Start a new import with it.")
            raise OperationError(text % {"name": self.file_name}) from error

    def _import(self, p: Progress) -> None:
        with p.stage("Read"):
            file, rows = self._read(p)
        with p.stage("Check"):
            found = self._check(p, file, rows)
            created = found.good - self._known(file) if self.dry_run else 0
        if not self.dry_run:
            with p.stage("Save"):
                created = self._save(p, file, found)
        self._show(p, file, found, created)
        if self.find_duplicates_afterwards and not self.dry_run:
            p.chain_to(FindDuplicates(owner=self.owner))

    def _read(self, p: Progress) -> tuple[ContactFile, int]:
        p.status(_("Reading %(file)s") % {"file": self.file_name})
        file = ContactFile(self._open, self.encoding)
        facts = {"encoding": spoken(file.csv.encoding), "delimiter": file.csv.delimiter}
        p.log(_("Encoding: %(encoding)s, delimiter: %(delimiter)r") % facts)
        if file.columns.ignored:
            ignored = {"columns": ", ".join(file.columns.ignored)}
            p.log(_("Columns that are not imported: %(columns)s") % ignored, "warning")
        count = 0
        for _row in p.track(file.rows(), unit=_("row")):
            count += 1
            if count > MAX_ROWS:
                text = _("The file has more than %(limit)s rows. Split it.")
                raise UnreadableFileError(text % {"limit": intcomma(MAX_ROWS)})
        if not count:
            raise UnreadableFileError(_("The file has a header, but no rows."))
        return file, count

    def _check(self, p: Progress, file: ContactFile, rows: int) -> Findings:
        text = ngettext("Checking %(count)s row", "Checking %(count)s rows", rows)
        p.status(text % {"count": intcomma(rows)})
        found = Findings()
        for contact in p.track(file.contacts(), total=rows, unit=_("row")):
            found.add(contact)
            if found.problems and found.problems[-1] is contact:
                p.log(contact, "warning")
        if found.unlisted:
            text = _("… and %(count)s more bad rows")
            p.log(text % {"count": intcomma(found.unlisted)}, "warning")
        if file.csv.guessed:
            text = _("The encoding is a guess; a name in the file reads: %(name)s")
            p.log(text % {"name": found.example or "-"}, "warning")
        if not self.dry_run:
            self._stop_if_bad(found)
        return found

    def _stop_if_bad(self, found: Findings) -> None:
        if not found.bad or (found.good and self.skip_bad_rows):
            return
        text = ngettext(
            "%(bad)s of %(rows)s rows is bad, so nothing was saved.",
            "%(bad)s of %(rows)s rows are bad, so nothing was saved.",
            found.bad,
        )
        lines = [text % {"bad": intcomma(found.bad), "rows": intcomma(found.rows)}]
        lines += [str(problem) for problem in found.problems[:SAID]]
        if found.good:
            lines.append(_("Correct the file, or start an import that leaves bad rows out."))
        raise OperationError("\n".join(lines))

    def _save(self, p: Progress, file: ContactFile, found: Findings) -> int:
        """Save all good rows; returns how many contacts are new."""
        text = ngettext("Saving %(count)s contact", "Saving %(count)s contacts", found.good)
        p.status(text % {"count": intcomma(found.good)})
        rows = p.track(file.contacts(), total=found.rows, unit=_("row"))
        return save_contacts(self.owner_id, _good(rows), file.columns.fields)

    def _show(self, p: Progress, file: ContactFile, found: Findings, created: int) -> None:
        p.result(
            file_name=self.file_name,
            dry_run=self.dry_run,
            skip_bad_rows=self.skip_bad_rows,
            rows=found.rows,
            created=created,
            updated=found.good - created,
            bad=found.bad,
            problems=[bad.as_dict() for bad in found.problems],
            unlisted=found.unlisted,
            encoding=spoken(file.csv.encoding),
            guessed=file.csv.guessed,
            example=found.example,
            ignored=file.columns.ignored,
        )
        text = _("%(created)s new contacts, %(updated)s updated, %(bad)s bad rows")
        if self.dry_run:
            text = _("A real import would give: %(created)s new, %(updated)s updated, %(bad)s bad")
        updated = intcomma(found.good - created)
        counts = {"created": intcomma(created), "updated": updated, "bad": intcomma(found.bad)}
        p.status(text % counts, "warning" if found.bad else "success")

    def _known(self, file: ContactFile) -> int:
        """How many good rows have an address that the address book has already."""
        return count_known(self.owner_id, (values["email"] for values in _good(file.contacts())))

    def _open(self) -> BinaryIO:
        return cast("BinaryIO", self.file.storage.open(self.file.name or "", "rb"))


def _good(contacts: Iterable[dict[str, str] | BadRow]) -> Iterator[dict[str, str]]:
    return (contact for contact in contacts if not isinstance(contact, BadRow))


class ImportContactsForm(forms.ModelForm):
    """What to import, and how careful to be."""

    class Meta:
        model = ImportContacts
        fields = ["file", "encoding", "dry_run", "skip_bad_rows", "find_duplicates_afterwards"]
        widgets = {"file": forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"})}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("dry_run") and self.cleaned_data.get("find_duplicates_afterwards"):
            text = _("A dry run saves nothing, so there is nothing new to search afterwards.")
            self.add_error("find_duplicates_afterwards", text)
        return cleaned


ImportContacts.form_class = ImportContactsForm
