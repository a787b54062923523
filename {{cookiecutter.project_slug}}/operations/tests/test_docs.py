"""Runs the code of docs/operations.md in a copy of this site, as a reader would."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import operations

SITE = Path(operations.__path__[0]).parent
PAGE = SITE / "docs" / "operations.md"
# A block of code whose first line is a comment with the file that it goes into.
BLOCK = re.compile(r"^```(?:python|html)\n(?:# |\{# )(\S+)(?: #\})?\n(.*?)^```$", re.M | re.S)
# What the copy does not need: it is the code that is tested, not what it left behind.
LEFT_OUT = shutil.ignore_patterns("var", ".venv", "__pycache__", "*_cache", "*.csv", ".env")

FIRST_RUN = """
from accounts.models import User
from liveops.models import kinds
from liveops.testing import RecordingProgress
from operations.contacts import Contact
from operations.rename_country import RenameCountry

owner = User.objects.create_user("ann")
for i in range(3):
    Contact.objects.create(owner=owner, name="Jan", email=f"jan{i}@example.com", country="Holland")
operation = RenameCountry.objects.create(owner=owner, old="Holland", new="Netherlands")
p = RecordingProgress(operation)
operation.run(p)
assert RenameCountry in kinds()
assert Contact.objects.filter(country="Netherlands").count() == 3
assert (p.percents[-1], p.statuses[-1]) == (100, "All renamed")
print(RenameCountry.title, "|", RenameCountry.description, "|", RenameCountry.input_fields())
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("docs") / "site"
    shutil.copytree(SITE, copy, ignore=LEFT_OUT)
    (copy / "var").mkdir()
    return copy


def python(site: Path, *arguments: str) -> str:
    """Runs Python in the copy with the settings of tests; returns what it printed."""
    environment = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=site,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def write(site: Path, blocks: list[tuple[str, str]]) -> None:
    for name, code in blocks:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(code, "utf-8")


def test_the_code_of_the_page_works_as_it_says(site: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    names = [name for name, _ in blocks]
    assert names.count("operations/rename_country.py") == 2
    assert len(names) == 8

    write(site, blocks[:1])
    python(site, "manage.py", "makemigrations", "operations")
    python(site, "manage.py", "migrate", "--verbosity=0")
    printed = python(site, "manage.py", "shell", "--command", FIRST_RUN)
    assert printed.strip().endswith(
        "Rename country | Gives a country another name in all your contacts. | ['old', 'new']"
    )

    write(site, blocks[1:])
    python(site, "manage.py", "makemigrations", "operations")
    tests = [name for name, _ in blocks if name.startswith("operations/tests/")]
    ran = python(site, "-m", "pytest", "-q", *tests)
    assert "7 passed" in ran


def test_the_page_names_only_files_that_exist() -> None:
    text = PAGE.read_text("utf-8")
    ours = {name for name, _ in BLOCK.findall(text)}
    named = set(re.findall(r"`(operations/[\w/]+\.(?:py|html))`", text)) - ours
    assert len(named) >= 8
    for name in named:
        assert (SITE / name).is_file(), name


def test_the_first_example_has_about_ten_lines_of_code() -> None:
    code = BLOCK.findall(PAGE.read_text("utf-8"))[0][1]
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 13
