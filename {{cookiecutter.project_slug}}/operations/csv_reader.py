"""Reads CSV files as people really send them, row by row, in memory that does not grow."""

import csv
from collections.abc import Callable, Iterator
from io import StringIO, TextIOWrapper
from itertools import islice
from typing import BinaryIO, NamedTuple, TextIO

from django.utils.translation import gettext as _

from operations.text_encoding import UnreadableFileError, find_encoding

DELIMITERS = ",;\t|"
# Enough characters and rows to tell which delimiter a file uses.
SNIFF_CHARACTERS = 64 * 1024
SNIFF_ROWS = 50
# A text file with longer lines is no table of contacts; without a limit it would fill the memory.
MAX_LINE = 1_000_000


class Row(NamedTuple):
    """One record: the physical line where it begins, its cells, and why it cannot be read."""

    line: int
    cells: list[str]
    problem: str = ""


class CsvFile:
    """A CSV file: `encoding`, `guessed` (the encoding), `delimiter`, `header`, and `rows()`.

    `open_file` opens the file in binary mode; every pass over the rows calls it anew.
    `UnreadableFileError` says why a file is of no use at all; a row that cannot be read comes
    with its `problem`.
    """

    def __init__(self, open_file: Callable[[], BinaryIO], encoding: str = "") -> None:
        self._open = open_file
        found = find_encoding(open_file, encoding)
        self.encoding, self.guessed = found.name, found.guessed
        self.delimiter, self._lines_before = self._find_delimiter()
        header = next(self._records(), None)
        if header is None:
            raise UnreadableFileError(_("The file is empty."))
        if header.problem:
            raise UnreadableFileError(
                _("Line %(line)d, the header: %(problem)s")
                % {"line": header.line, "problem": header.problem}
            )
        self.header = [cell.strip() for cell in header.cells]

    def rows(self) -> Iterator[Row]:
        """All rows after the header, without blank ones."""
        return islice(self._records(), 1, None)

    def _records(self) -> Iterator[Row]:
        with self._text() as text:
            lines = _bounded_lines(text)
            reader = csv.reader(
                islice(lines, self._lines_before, None), delimiter=self.delimiter, strict=True
            )
            while True:
                line = self._lines_before + reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Row(line, [], _explain(error))
                else:
                    if any(map(str.strip, cells)):
                        yield Row(line, cells)

    def _text(self) -> TextIO:
        return TextIOWrapper(self._open(), encoding=self.encoding, newline="")

    def _find_delimiter(self) -> tuple[str, int]:
        """The delimiter, and how many lines come before the table (Excel's `sep=;`)."""
        with self._text() as text:
            sample = text.read(SNIFF_CHARACTERS)
        first = sample.partition("\n")[0].strip()
        if len(first) == 5 and first.lower().startswith("sep="):
            return first[-1], 1
        return max(DELIMITERS, key=lambda delimiter: _fit(sample, delimiter)), 0


def _fit(sample: str, delimiter: str) -> float:
    """How many columns a delimiter gives, times the share of rows that have as many."""
    reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
    widths = [len(cells) for cells in islice(reader, SNIFF_ROWS) if any(map(str.strip, cells))]
    if not widths or widths[0] == 1:
        return 0
    return widths[0] * widths.count(widths[0]) / len(widths)


def _bounded_lines(text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise UnreadableFileError(
                _("Line %(line)d has more than %(limit)d characters; this is no table of contacts.")
                % {"line": number, "limit": MAX_LINE}
            )
        yield line


def _explain(error: csv.Error) -> str:
    if "field larger" in str(error):
        return _(
            "a cell has more than %(limit)d characters; perhaps a quotation mark is missing"
        ) % {"limit": csv.field_size_limit()}
    return _("the quotation marks of a cell are not closed, or text follows them")
