"""docs/security.md names tests that exist, every attack of the matrix, and the true defaults."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from liveops.conf import LiveopsSettings
from tests.processes import SITE
from tests.security.page import FOLDER, PAGE, Row, page_rows, read_rows, read_tests

ROWS = page_rows()
SETTING = re.compile(r'`(?:LIVEOPS\["(?P<own>\w+)"\]|(?P<variable>[A-Z_]+))`')
RATES = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
VARIABLES = {
    "SIGN_IN_FAILURES": settings.AXES_FAILURE_LIMIT,
    "SIGN_IN_PAUSE_MINUTES": settings.AXES_COOLOFF_TIME.total_seconds() // 60,
    "SESSION_HOURS": settings.SESSION_COOKIE_AGE / 3600,
    "API_USER_RATE": RATES["user"],
    "API_ANON_RATE": RATES["anon"],
    "API_SIGN_IN_RATE": RATES["sign_in"],
}
ATTACKS = [row for row in ROWS if row.cells[0].isdecimal()]
LIMITS = [row for row in ROWS if SETTING.fullmatch(row.cells[0])]


def names_in(file: Path) -> set[str]:
    """`test_a`, and `TestB::test_c` of a class."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(f"{prefix}{each.name}")
    return found


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_tests_that_exist(row: Row) -> None:
    assert row.tests, "the last cell names no test"
    for test in row.tests:
        path, _colons, name = test.partition("::")
        assert (SITE / path).is_file(), path
        assert name in names_in(SITE / path), test


def test_every_attack_has_a_row() -> None:
    assert {int(row.cells[0]) for row in ATTACKS} == set(range(14, 22))


@pytest.mark.parametrize("row", ATTACKS, ids=str)
def test_the_tests_of_an_attack_are_marked_with_its_number(row: Row) -> None:
    for test in row.tests:
        source = (SITE / test.partition("::")[0]).read_text(encoding="utf-8")
        assert f"pytest.mark.fault({row.cells[0]})" in source, test


@pytest.mark.parametrize("row", LIMITS, ids=str)
def test_limits_are_the_defaults(row: Row) -> None:
    name = SETTING.fullmatch(row.cells[0])
    assert name
    default = vars(LiveopsSettings)[name["own"]] if name["own"] else VARIABLES[name["variable"]]
    text = row.cells[1]
    assert text == default or float(text) == default


def test_every_limit_of_the_websocket_is_there() -> None:
    shown = {name for row in LIMITS for name in SETTING.findall(row.cells[0])[0]}
    assert {name for name in vars(LiveopsSettings) if name.startswith("MAX_CONN")} <= shown
    assert {"MAX_MESSAGES", "MAX_CLIENT_MESSAGE", "SUBSCRIBE_WITHIN", "TOKEN_TTL"} <= shown
    assert set(VARIABLES) <= shown


def test_every_file_of_this_folder_proves_something() -> None:
    """An attack that no row names would run, and nobody would know what for."""
    named = {test.partition("::")[0] for row in ROWS for test in row.tests}
    files = {path.relative_to(SITE).as_posix() for path in (SITE / FOLDER).glob("test_*.py")}
    assert files <= named


def test_a_table_is_read() -> None:
    text = "| What | Tests |\n|---|---|\n| a | `test_a.py`: `test_b`, `TestC::test_d` |\n"
    assert read_rows(text) == [
        Row(
            ("a", "`test_a.py`: `test_b`, `TestC::test_d`"),
            (f"{FOLDER}/test_a.py::test_b", f"{FOLDER}/test_a.py::TestC::test_d"),
        )
    ]
    assert read_tests("`liveops/tests/test_x.py`: `test_y`") == ("liveops/tests/test_x.py::test_y",)


@pytest.mark.parametrize(
    "text", ["| a | b |\n| c | d |\n", "| a | `test_a` |\n|---|---|\n| x | `test_b` |"]
)
def test_a_table_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"Line 1|No file"):
        read_rows(text)


def test_the_page_is_there() -> None:
    assert PAGE.is_file()
