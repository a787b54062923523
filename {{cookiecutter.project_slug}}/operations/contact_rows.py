"""Turns rows of a CSV file into values of `Contact`, or says what is wrong with them."""

import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from operations.contacts import Contact
from operations.csv_reader import Row
from operations.spreadsheet import unguard
from operations.text_encoding import UnreadableFileError

REQUIRED = ("name", "email")
OPTIONAL = ("phone", "company", "city", "country", "notes")
FIRST, LAST = "first name", "last name"

# Headers as programs in several languages write them, in the form that `_plain()` gives.
SYNONYMS = {
    "name": "name fullname contact contactname displayname contacto kontakt nomcomplet",
    "email": "email emailaddress mail mailaddress email1value email1 courriel correo emailadresse",
    "phone": "phone phonenumber telephone tel mobile mobilephone telefon telefonnummer handy "
    "telefono phone1value",
    "company": "company companyname organization organisation firma unternehmen societe empresa "
    "organizationname",
    "city": "city town ort stadt ville ciudad",
    "country": "country land pays pais countryregion",
    "notes": "notes note comment comments remarks notizen bemerkung bemerkungen notas",
    FIRST: "firstname givenname forename vorname prenom nombre",
    LAST: "lastname familyname surname nachname nom apellido apellidos nomdefamille",
}
FIELD_OF = {word: field for field, words in SYNONYMS.items() for word in words.split()}
LONGEST = {field.name: getattr(field, "max_length", 0) for field in Contact._meta.fields}
# More are no table of contacts, and nobody would read a list of what is ignored.
MAX_COLUMNS = 200
SHOWN = 80


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be a contact: its line, the column, the value, and the reason."""

    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        where = _("line %(line)d") % {"line": self.line}
        column = f", {self.column}" if self.column else ""
        value = f" {_shown(self.value)!r}" if self.value else ""
        return f"{where}{column}:{value} {self.reason}"

    def as_dict(self) -> dict[str, str | int]:
        """What the result page shows."""
        return {
            "line": self.line,
            "column": self.column,
            "value": _shown(self.value),
            "reason": self.reason,
        }


class ContactColumns:
    """Which column of a file holds what: `fields` are imported, `ignored` are not."""

    def __init__(self, header: list[str]) -> None:
        if len(header) > MAX_COLUMNS:
            text = _("The header has %(count)d columns, at most %(limit)d are accepted.")
            raise UnreadableFileError(text % {"count": len(header), "limit": MAX_COLUMNS})
        self.header = header
        self._at: dict[str, int] = {}
        self.ignored: list[str] = []
        for position, title in enumerate(header):
            field = FIELD_OF.get(_plain(title))
            if field and field not in self._at:
                self._at[field] = position
            elif title:
                self.ignored.append(_shown(title))
        self._join_names = "name" not in self._at and (FIRST in self._at or LAST in self._at)
        if not self._join_names:
            unused = [self._at.pop(part) for part in (FIRST, LAST) if part in self._at]
            self.ignored += [header[at] for at in unused]
        self._require()
        known = {*REQUIRED, *self._at}
        self.fields = [name for name in (*REQUIRED, *OPTIONAL) if name in known]

    def _require(self) -> None:
        missing = [name for name in REQUIRED if name not in self._at]
        if self._join_names:
            missing.remove("name")
        if missing:
            raise UnreadableFileError(
                _(
                    "The header has no column for: %(missing)s. It has: %(found)s. Needed are "
                    "email and name (or first name and last name); phone, company, city, country "
                    "and notes are welcome. The first line must name the columns."
                )
                % {"missing": ", ".join(missing), "found": _shown(", ".join(self.header), 300)}
            )

    def read(self, row: Row) -> dict[str, str] | BadRow:
        """The values of one row by field, or what is wrong with it."""
        if row.problem:
            return BadRow(row.line, "", "", row.problem)
        cells, width = row.cells, len(self.header)
        if len(cells) > width and any(map(str.strip, cells[width:])):
            reason = _("%(found)d cells instead of %(expected)d; quote a cell that has a delimiter")
            counts = {"found": len(cells), "expected": width}
            return BadRow(row.line, "", cells[-1], reason % counts)
        # Excel leaves out empty cells at the end of a row.
        values = {
            field: unguard(cells[at].strip()) if at < len(cells) else ""
            for field, at in self._at.items()
        }
        if self._join_names:
            first, last = values.pop(FIRST, ""), values.pop(LAST, "")
            values["name"] = f"{first} {last}".strip()
        values["email"] = values["email"].lower()
        for field, value in values.items():
            if reason := _fault(field, value):
                return BadRow(row.line, field, value, reason)
        return values


def _fault(field: str, value: str) -> str:
    """Why this is no value for the field, or nothing."""
    if not value:
        return _("is missing") if field in REQUIRED else ""
    if "\0" in value:
        return _("has a NUL character")
    if len(value) > LONGEST[field]:
        counts = {"length": len(value), "limit": LONGEST[field]}
        return _("has %(length)d characters, at most %(limit)d fit") % counts
    if field == "email":
        try:
            validate_email(value)
        except ValidationError:
            return _("is no e-mail address")
    return ""


def _plain(title: str) -> str:
    """A column title without accents, case, and whatever is no letter or digit."""
    decomposed = unicodedata.normalize("NFKD", title).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _shown(text: str, length: int = SHOWN) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
