"""What is left out is said, and is a failure where everything is required."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import PYTHON, SITE

SUITE = """
import pytest

def test_left_out():
    pytest.skip("no Chromium was found")

def test_known_bug():
    pytest.xfail("not yet")

def test_fine():
    assert 1 + 1 == 2
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    return tmp_path


def run(suite: Path, require_all: str) -> subprocess.CompletedProcess[str]:
    quiet = ["-p", "tests.left_out", "-p", "no:django", "-p", "no:cacheprovider"]
    return subprocess.run(
        [PYTHON, "-m", "pytest", *quiet, "-c", str(suite / "pytest.ini"), str(suite)],
        cwd=SITE,
        env={**os.environ, "REQUIRE_ALL": require_all, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("require_all", ["", "0"])
def test_what_is_left_out_is_said_at_the_end(suite: Path, require_all: str) -> None:
    done = run(suite, require_all)
    assert done.returncode == 0
    assert "LEFT OUT, so not proved by this run" in done.stdout
    assert "1 x no Chromium was found" in done.stdout


def test_what_is_left_out_fails_where_everything_is_required(suite: Path) -> None:
    done = run(suite, "1")
    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 xfailed" in done.stdout
    assert "Left out, although REQUIRE_ALL=1: no Chromium was found" in done.stdout
