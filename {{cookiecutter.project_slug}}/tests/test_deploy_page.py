"""docs/deploy.md names commands, variables, tests and parts of the doctor that there are."""

import re

import pytest

from liveops.doctor.rounds import CHECKS
from tests.processes import SITE
from tests.security.page import Row, read_rows, read_tests
from tests.test_env_example import LISTED
from tests.test_security_page import names_in

PAGE = (SITE / "docs" / "deploy.md").read_text(encoding="utf-8")
MAKEFILE = (SITE / "Makefile").read_text(encoding="utf-8")
ROWS = read_rows(PAGE)
PROMISES = [row for row in ROWS if row.tests]
PROBLEMS = read_rows(PAGE.partition("## Ten likely problems")[2])
# Written by people into a command, or a setting of the engine.
NO_VARIABLES = {"ADDRESS", "COMMAND", "FILE", "LOST_AFTER", "SERVICE", "VERSION", "WEB", "WORKER"}


@pytest.mark.parametrize("row", PROMISES, ids=str)
def test_a_promise_names_tests_that_exist(row: Row) -> None:
    for test in row.tests:
        path, _colons, name = test.partition("::")
        assert name in names_in(SITE / path), test


def test_every_row_but_the_problems_names_its_tests() -> None:
    assert [row for row in ROWS if not row.tests] == PROBLEMS


def test_tests_that_the_text_names_exist() -> None:
    text = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    for test in read_tests(text):
        path, _colons, name = test.partition("::")
        assert name in names_in(SITE / path), test


def test_the_steps_of_the_stack_test_are_all_named() -> None:
    names = names_in(SITE / "tests" / "stack" / "test_steps.py")
    steps = {name for name in names if name.startswith("test_")}
    unsaid = {"test_base_images_are_there"}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert steps - named == unsaid


def test_targets_exist() -> None:
    targets = set(re.findall(r"(?:`|&& |^ *)make ([a-z][a-z-]*)", PAGE, re.MULTILINE))
    known = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert {"up", "deploy", "scale", "backup", "restore", "logs"} <= targets <= known


def test_variables_exist() -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|\b[A-Z]{4,}\b(?==)", PAGE))
    assert named - NO_VARIABLES <= LISTED
    assert len(named & LISTED) > 8


def test_what_the_doctor_says_is_a_part_that_it_examines() -> None:
    assert len(PROBLEMS) == 10
    said = {part for row in PROBLEMS for part in re.findall(r"`([A-Z][a-z ]+):", row.cells[1])}
    assert len(said) > 5
    assert said <= {check.name for check in CHECKS}


def test_files_that_it_links_to_exist() -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE):
        assert (SITE / "docs" / link).exists(), link
