"""A CSV file that holds contacts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from django.utils.translation import gettext as _

from operations.contact_rows import BadRow, ContactColumns
from operations.csv_reader import CsvFile, Row

# Bad rows beyond this are counted, not kept.
LISTED = 50


@dataclass
class Findings:
    """What a check of all rows has found."""

    rows: int = 0
    bad: int = 0
    # The first LISTED bad rows.
    problems: list[BadRow] = field(default_factory=list)
    # A name with foreign letters, by which a person can judge a guessed encoding.
    example: str = ""

    @property
    def good(self) -> int:
        return self.rows - self.bad

    @property
    def unlisted(self) -> int:
        return self.bad - len(self.problems)

    def add(self, contact: dict[str, str] | BadRow) -> None:
        self.rows += 1
        if isinstance(contact, BadRow):
            self.bad += 1
            if len(self.problems) < LISTED:
                self.problems.append(contact)
        elif not self.example and not contact["name"].isascii():
            self.example = contact["name"]


class ContactFile:
    """A CSV file whose header names the columns of a contact; else `UnreadableFileError`."""

    def __init__(self, open_file: Callable[[], BinaryIO], encoding: str = "") -> None:
        self.csv = CsvFile(open_file, encoding)
        self.columns = ContactColumns(self.csv.header)

    def rows(self) -> Iterator[Row]:
        return self.csv.rows()

    def contacts(self) -> Iterator[dict[str, str] | BadRow]:
        """For every row the values of a contact, or what is wrong with it.

        An address that an earlier row has too is wrong: nobody could say which of them counts.
        """
        # Hashes instead of addresses: about 100 bytes for each row, however long they are.
        line_of: dict[int, int] = {}
        for row in self.rows():
            values = self.columns.read(row)
            if isinstance(values, dict):
                email = values["email"]
                first = line_of.setdefault(hash(email), row.line)
                if first != row.line:
                    reason = _("is the address of line %(line)d too") % {"line": first}
                    values = BadRow(row.line, "email", email, reason)
            yield values
