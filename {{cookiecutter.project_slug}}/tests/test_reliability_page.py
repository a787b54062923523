"""docs/reliability.md names every fault test, and none that is not there."""

import ast
import re
from collections import defaultdict

import pytest

from tests.faults.matrix import FAULTS, RANDOM_RUN
from tests.processes import SITE

PAGE = (SITE / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = {
    int(number): rest for number, rest in re.findall(r"^\| (\d+) \|(.*)$", PAGE, flags=re.MULTILINE)
}


def row_of(function: ast.FunctionDef) -> int | None:
    """The row that `@pytest.mark.fault(…)` names."""
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="fault"), args=[ast.Constant(value=int(row))]):
                return row
            case ast.Call(func=ast.Attribute(attr="fault"), args=[ast.Name(id="RANDOM_RUN")]):
                return RANDOM_RUN
    return None


def written_tests() -> dict[int, set[tuple[str, str]]]:
    """Row → file and name of each test."""
    found = defaultdict(set)
    for file in (SITE / "tests" / "faults").glob("test_*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                row = row_of(node)
                assert row is not None, f"{node.name} in {file.name} belongs to no row"
                found[row].add((file.name, node.name))
    return found


def named_tests(text: str) -> set[tuple[str, str]]:
    """File and name of each test in a text such as "`test_a.py`: `test_b`, `test_c`"."""
    found, file = set(), ""
    for name in re.findall(r"`(test_\w+(?:\.py)?)`", text):
        if name.endswith(".py"):
            file = name
        else:
            found.add((file, name))
    return found


WRITTEN = written_tests()


def test_the_page_has_every_fault_and_no_other() -> None:
    assert list(ROWS) == list(FAULTS)


@pytest.mark.parametrize("row", FAULTS)
def test_a_row_names_all_of_its_tests(row: int) -> None:
    assert named_tests(ROWS[row]) == WRITTEN[row]
    assert WRITTEN[row]


def test_the_random_run_is_named() -> None:
    rest = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    assert named_tests(rest) == WRITTEN[RANDOM_RUN]
