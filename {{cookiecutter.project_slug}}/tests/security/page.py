"""The rows of `docs/security.md`, and the tests that each of them names."""

import re
from dataclasses import dataclass

from tests.processes import SITE

PAGE = SITE / "docs" / "security.md"
FOLDER = "tests/security"

FILE_OR_TEST = re.compile(r"`([\w/]+\.py|(?:Test\w+::)?test_\w+)`")
RULER = re.compile(r"\|(?: *:?-+:? *\|)+")


@dataclass(frozen=True)
class Row:
    """One promise: its cells, and the node ids of its tests without their parameters."""

    cells: tuple[str, ...]
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return self.cells[0]


def read_rows(text: str) -> list[Row]:
    """The rows of all tables of a page; the last cell of each names its tests."""
    lines = text.splitlines()
    rows, in_table = [], False
    for number, line in enumerate(lines):
        if not line.startswith("|"):
            in_table = False
        elif RULER.fullmatch(line):
            in_table = True
        elif in_table:
            cells = tuple(cell.strip() for cell in line.strip("|").split(" | "))
            rows.append(Row(cells, read_tests(cells[-1])))
        elif number + 1 == len(lines) or not RULER.fullmatch(lines[number + 1]):
            raise ValueError(f"Line {number + 1} of the page is a row of no table: {line!r}")
    return rows


def read_tests(text: str) -> tuple[str, ...]:
    """Node ids out of "`test_a.py`: `test_b`, `test_c`"; a file without folder is in FOLDER."""
    found, file = [], ""
    for name in FILE_OR_TEST.findall(text):
        if name.endswith(".py"):
            file = name if "/" in name else f"{FOLDER}/{name}"
        elif not file:
            raise ValueError(f"No file is named before {name} in {text!r}")
        else:
            found.append(f"{file}::{name}")
    return tuple(found)


def page_rows() -> list[Row]:
    return read_rows(PAGE.read_text(encoding="utf-8")) if PAGE.is_file() else []
