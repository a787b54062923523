"""`make audit` tells what is known against the packages, and never that all is well unasked."""

import json
import subprocess
from typing import Any

import pytest

from scripts import audit
from tests.processes import PYTHON, SITE
from tests.security.promises import Figures

GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
STRANGE = {"name": "strange", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "said", "code"),
    [
        ([GOOD], "known vulnerabilities: 0 in 1 packages", 0),
        ([GOOD, BAD], "bad 2: CVE-1, mended in 3\nknown vulnerabilities: 1 in 2 packages", 1),
        ([GOOD, STRANGE], "known vulnerabilities: 0 in 1 packages, not checked: strange", 2),
        (
            [STRANGE],
            "known vulnerabilities: not checked, no database reached (it knew none of 1 packages)",
            2,
        ),
    ],
)
def test_what_is_said(packages: list[dict[str, Any]], said: str, code: int) -> None:
    assert audit.judge(packages) == (said, code)


@pytest.mark.parametrize("output", ["", "no JSON", json.dumps({"error": 1})])
def test_no_answer_is_no_good_news(monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    fails = [PYTHON, "-c", f"import sys; print({output!r}); sys.exit('no route to host')"]
    monkeypatch.setattr(audit, "COMMAND", fails)
    assert audit.audit() == (
        "known vulnerabilities: not checked, no database reached (no route to host)",
        2,
    )


def test_the_packages_of_the_site(figures: Figures) -> None:
    """Where a database can be reached; elsewhere the summary says that it could not."""
    done = subprocess.run(
        [PYTHON, "scripts/audit.py"], cwd=SITE, capture_output=True, text=True, check=False
    )
    last = done.stdout.strip().splitlines()[-1]
    figures.note(last)
    assert last.startswith("known vulnerabilities: ")
    assert done.returncode != audit.FOUND, done.stdout
    assert (done.returncode == audit.NOT_CHECKED) is ("not checked" in last)
