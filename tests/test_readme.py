"""What the README shows is there and works; test_demo.py runs `make demo`."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from template import Template

# Run an operation as a worker would, with the engine's own recording progress.
SETUP = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from liveops.testing import RecordingProgress

User = get_user_model()
owner = User.objects.create(username="owner", last_login=timezone.now())
"""
CLOSE_STALE_ACCOUNTS = """
from operations.close_stale_accounts import CloseStaleAccounts

long_ago = timezone.now() - timedelta(days=400)
stale = User.objects.create(username="stale", last_login=long_ago)
operation = CloseStaleAccounts.objects.create(owner=owner)
p = RecordingProgress(operation)
operation.run(p)
stale.refresh_from_db()
owner.refresh_from_db()
print(stale.is_active, owner.is_active, p.results, p.percents[-1], p.logs)
"""
COUNT_WORDS = """
from operations.count_words import CountWords

operation = CountWords.objects.create(owner=owner, text="to be or not")
p = RecordingProgress(operation)
operation.run(p)
print(p.results, p.percents[-1], p.logs[-1])
"""
IMPORTS = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone
from liveops.models import LiveOperation

"""


def blocks(readme: Path, language: str) -> list[str]:
    text = readme.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_links_lead_somewhere(template: Template) -> None:
    text = (template.root / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https://)([^)]+)\)", text)
    assert len(links) > 5
    assert [link for link in links if not (template.root / unquote(link)).is_file()] == []


def test_commands_are_the_tested_ones(template: Template) -> None:
    commands = [
        line for block in blocks(template.root / "README.md", "sh") for line in block.splitlines()
    ]
    assert commands == [
        "make demo",
        "pip install cookiecutter",
        "cookiecutter . --output-dir ..",
    ]


def test_the_command_that_makes_a_site_works_in_a_clone(template: Template, tmp_path: Path) -> None:
    clone = template.copy(tmp_path / "liveops-template")
    command = shlex.split(blocks(template.root / "README.md", "sh")[1].splitlines()[1])
    result = subprocess.run(
        [sys.executable, "-m", *command, "--no-input"],
        cwd=clone.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "live_operations/manage.py").is_file()


def run_in(site: Path, *command: str) -> str:
    env = {**os.environ, "DEBUG": "1"}
    result = subprocess.run(command, cwd=site, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_operations_of_both_readmes_run(
    template: Template, tmp_path: Path, site_python: str
) -> None:
    site = template.generate(tmp_path)
    operations = {
        "close_stale_accounts": IMPORTS + blocks(template.root / "README.md", "python")[0],
        "count_words": blocks(site / "README.md", "python")[0],
    }
    for name, code in operations.items():
        (site / f"operations/{name}.py").write_text(code, encoding="utf-8")
    # As the site's README says.
    run_in(site, "make", "migrations", "migrate", f"PYTHON={site_python}")
    manage = [site_python, "manage.py"]
    run_in(site, *manage, "check", "--fail-level", "WARNING")
    code = SETUP + CLOSE_STALE_ACCOUNTS + COUNT_WORDS
    printed = run_in(site, *manage, "shell", "--verbosity", "0", "--command", code).splitlines()
    assert printed[0].startswith("False True {'closed': 1} 100")
    assert "Closed stale" in printed[0]
    assert printed[1].startswith("{'words': 4} 100")
    assert "4: not" in printed[1]
