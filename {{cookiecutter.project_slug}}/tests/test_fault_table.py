"""The table of the fault tests counts what was reported, and hides nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import PYTHON, SITE

SUITE = """
import pytest

@pytest.mark.fault(4)
def test_survives(figures):
    with figures.time_until_right():
        pass
    figures.note("a note")

@pytest.mark.fault(5)
def test_loses(figures):
    figures.lost += 2
    figures.twice += 1

@pytest.mark.fault(6)
@pytest.mark.parametrize("database", ["one", "two"])
def test_fails_once(figures, database):
    figures.stuck += 0
    assert database == "one"

@pytest.mark.fault(7)
def test_left_out(figures):
    pytest.skip("not here")

@pytest.fixture
def unclean():
    yield
    raise RuntimeError("could not clean up")

@pytest.mark.fault(8)
def test_cleans_up(figures, unclean):
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    folder = tmp_path / "tests" / "faults"
    folder.mkdir(parents=True)
    (folder / "test_suite.py").write_text(SUITE)
    (tmp_path / "tests" / "test_other.py").write_text("def test_other(): pass\n")
    return tmp_path


def run(suite: Path, *arguments: str) -> str:
    plugins = ["-p", "tests.faults.figures", "-p", "no:django", "-p", "no:cacheprovider"]
    options = ["--import-mode=importlib", "-c", str(suite / "pytest.ini"), *arguments]
    done = subprocess.run(
        [PYTHON, "-m", "pytest", *plugins, *options, str(suite / "tests")],
        cwd=SITE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_row_survives_only_when_each_of_its_tests_does(suite: Path) -> None:
    text = run(suite, "-m", "faults")
    assert " 4 survived  Redis restarts" in text
    assert "test_survives: lost 0, twice 0, stuck 0, right after 0.0 s; a note" in text
    assert " 5 FAILED    Redis forgets" in text
    assert "The promise was broken: lost 2, twice 1, stuck 0" in text
    assert " 6 FAILED    Redis is away" in text
    assert " 7 left out  The web server" in text
    assert " 8 FAILED    PostgreSQL" in text
    assert " 9 not run   A message" in text


def test_the_last_line_sums_up(suite: Path) -> None:
    text = run(suite, "-m", "faults")
    assert "faults tried 4, survived 1, lines lost 2, doubles 1, stuck operations 0" in text
    assert "(not tried: 1, 2, 3, 7, 9," in text
    assert "random run: not run" in text


def test_an_ordinary_run_leaves_the_faults_out_and_says_so(suite: Path) -> None:
    text = run(suite)
    assert "6 fault tests left out; `make test-faults` runs them." in text
    assert "1 passed, 6 deselected" in text
