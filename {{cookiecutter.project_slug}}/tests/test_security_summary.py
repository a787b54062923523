"""The summary of the security suite counts what was proved, and hides nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import PYTHON, SITE

PAGE = """
| Promise | Tests |
|---|---|
| kept | `test_suite.py`: `test_passes`; `apps/test_beside.py`: `test_beside` |
| broken | `test_suite.py`: `test_passes`, `test_fails` |
| half | `test_suite.py`: `test_each` |
| left out | `test_suite.py`: `test_left_out` |
| gone | `test_suite.py`: `test_gone` |
| bare | nobody |
"""
SUITE = """
import pytest

@pytest.fixture
def figures(security_figures):
    return security_figures

@pytest.mark.route("good")
def test_passes(figures):
    figures.inputs += 7
    figures.note("a note")
    figures.took("a thing", 0.5)

@pytest.mark.route("bad")
def test_fails(figures):
    figures.inputs += 1
    assert not figures.inputs

@pytest.mark.route("half")
@pytest.mark.parametrize("case", ["one", "two"])
def test_each(case):
    assert case == "one"

def test_left_out():
    pytest.skip("not here")
"""
GOOD_PAGE = "| Promise | Tests |\n|---|---|\n| kept | `test_suite.py`: `test_passes` |\n"
GOOD_SUITE = SUITE.partition('@pytest.mark.route("bad")')[0]
BESIDE = "def test_beside(): pass\ndef test_other(): pass\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small site with this plugin; its page and suite may be written anew."""
    folder = tmp_path / "tests" / "security"
    folder.mkdir(parents=True)
    for name in ("suites.py", "processes.py", "security/page.py", "security/promises.py"):
        shutil.copy(SITE / "tests" / name, tmp_path / "tests" / name)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    for file, text in {
        "pytest.ini": "[pytest]\n",
        "docs/security.md": PAGE,
        "tests/security/test_suite.py": SUITE,
        "apps/test_beside.py": BESIDE,
    }.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


def run(suite: Path, *arguments: str) -> tuple[list[str], int]:
    """The lines that it prints, and its exit code."""
    plugins = ["-p", "tests.security.promises"]
    for unused in ("django", "cacheprovider", "asyncio"):
        plugins += ["-p", f"no:{unused}"]
    done = subprocess.run(
        [PYTHON, "-m", "pytest", *plugins, "-c", "pytest.ini", *arguments],
        cwd=suite,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(suite)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines(), done.returncode


def test_a_promise_counts_only_when_each_of_its_tests_passed(suite: Path) -> None:
    lines, code = run(suite, "-m", "security", "tests/security")
    assert lines[-1] == "promises 1 / 6, routes 1 / 3, inputs 8, failures 2"
    assert code == 1
    text = "\n".join(lines)
    for name, test in {
        "broken": "tests/security/test_suite.py::test_fails",
        "half": "tests/security/test_suite.py::test_each",
        "left out": "tests/security/test_suite.py::test_left_out",
        "gone": "tests/security/test_suite.py::test_gone",
        "bare": "names no test",
    }.items():
        assert f"promise not proved: {name} ({test})" in text
    assert "route not proved: bad" in text
    assert "route not proved: half" in text
    assert "test_passes: 7 inputs; a note" in text
    assert "a thing: at most 0.50 s (1 times)" in text


def test_the_named_tests_of_other_folders_run_and_no_others(suite: Path) -> None:
    lines, _code = run(suite, "-m", "security", "-v", "tests/security")
    text = "\n".join(lines)
    assert "apps/test_beside.py::test_beside PASSED" in text
    assert "test_other" not in text


def test_a_run_in_which_all_is_proved_succeeds(suite: Path) -> None:
    (suite / "docs/security.md").write_text(GOOD_PAGE)
    (suite / "tests/security/test_suite.py").write_text(GOOD_SUITE)
    lines, code = run(suite, "-m", "security", "tests/security")
    assert (lines[-1], code) == ("promises 1 / 1, routes 1 / 1, inputs 7, failures 0", 0)


@pytest.mark.parametrize("row", ["| bare | nobody |", "| a | `x.py`: `test_x` |"])
def test_what_nobody_proved_fails_a_run_without_a_failure(suite: Path, row: str) -> None:
    (suite / "docs/security.md").write_text(f"{GOOD_PAGE}{row}\n")
    (suite / "tests/security/test_suite.py").write_text(GOOD_SUITE)
    lines, code = run(suite, "-m", "security", "tests/security")
    assert (lines[-1], code) == ("promises 1 / 2, routes 1 / 1, inputs 7, failures 0", 1)


def test_a_test_that_was_left_out_fails_the_run(suite: Path) -> None:
    (suite / "docs/security.md").write_text(GOOD_PAGE)
    left_out = "\ndef test_left_out():\n    pytest.skip('not here')\n"
    (suite / "tests/security/test_suite.py").write_text(GOOD_SUITE + left_out)
    lines, code = run(suite, "-m", "security", "tests/security")
    assert lines[-1] == "promises 1 / 1, routes 1 / 1, inputs 7, failures 0"
    assert "left out: tests/security/test_suite.py::test_left_out" in "\n".join(lines)
    assert code == 1


def test_an_ordinary_run_leaves_the_suite_out_and_says_so(suite: Path) -> None:
    lines, code = run(suite)
    assert "5 security tests left out; `make test-security` runs them." in lines
    assert "2 passed, 5 deselected" in lines[-1]
    assert code == 0
