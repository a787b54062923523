"""What the README shows is there and works; test_demo.py runs `make demo`."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from template import Template

# Runs the README's operation as a worker would, with the engine's own recording progress.
RUN = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from liveops.testing import RecordingProgress
from operations.close_stale_accounts import CloseStaleAccounts

long_ago = timezone.now() - timedelta(days=400)
User = get_user_model()
owner = User.objects.create(username="owner", last_login=timezone.now())
stale = User.objects.create(username="stale", last_login=long_ago)
operation = CloseStaleAccounts.objects.create(owner=owner)
p = RecordingProgress(operation)
operation.run(p)
stale.refresh_from_db()
owner.refresh_from_db()
print(stale.is_active, owner.is_active, p.results, p.percents[-1], p.logs)
"""
IMPORTS = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone
from liveops.models import LiveOperation

"""


def blocks(template: Template, language: str) -> list[str]:
    text = (template.root / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_links_lead_somewhere(template: Template) -> None:
    text = (template.root / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https://)([^)]+)\)", text)
    assert len(links) > 5
    assert [link for link in links if not (template.root / unquote(link)).is_file()] == []


def test_commands_are_the_tested_ones(template: Template) -> None:
    commands = [line for block in blocks(template, "sh") for line in block.splitlines()]
    assert commands == [
        "make demo",
        "pip install cookiecutter",
        "cookiecutter . --output-dir ..",
    ]


def test_the_command_that_makes_a_site_works_in_a_clone(template: Template, tmp_path: Path) -> None:
    clone = template.copy(tmp_path / "liveops-template")
    command = shlex.split(blocks(template, "sh")[1].splitlines()[1])
    result = subprocess.run(
        [sys.executable, "-m", *command, "--no-input"],
        cwd=clone.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "live_operations/manage.py").is_file()


def test_the_operation_runs(
    template: Template, tmp_path: Path, site_python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = template.generate(tmp_path)
    code = IMPORTS + blocks(template, "python")[0]
    (site / "operations/close_stale_accounts.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("DEBUG", "1")
    for arguments in (
        ["makemigrations", "--verbosity", "0"],
        ["migrate", "--verbosity", "0"],
        ["check", "--fail-level", "WARNING"],
        ["shell", "--verbosity", "0", "--command", RUN],
    ):
        result = subprocess.run(
            [site_python, "manage.py", *arguments],
            cwd=site,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("False True {'closed': 1} 100")
    assert "Closed stale" in result.stdout
