"""docs/api.md: every command that it shows works, and what it says of settings and errors is so."""

import json
import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from api.settings import REST_FRAMEWORK
from tests.client import SiteClient
from tests.people import PASSWORD
from tests.processes import SITE
from tests.services import Stack

PAGE = (SITE / "docs" / "api.md").read_text(encoding="utf-8")
SAMPLE = "operations/samples/contacts.csv"


def commands() -> list[tuple[str, str]]:
    """Each command, and the output that the page shows below it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *output = re.split(r"(?<!\\)\n", part, maxsplit=1)
            found.append((command, "".join(output).strip()))
    return found


@pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)
def test_every_command_works(stack: Stack, member: SiteClient, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl was found")
    (tmp_path / SAMPLE).parent.mkdir(parents=True)
    shutil.copy(SITE / SAMPLE, tmp_path / SAMPLE)
    name = User.objects.latest("pk").username
    env = {
        "PATH": os.environ["PATH"],
        "SITE": stack.base_url,
        "PASSWORD": PASSWORD,
        "KEY": str(uuid.uuid4()),
    }
    ran = 0
    for command, shown in commands():
        done = subprocess.run(
            ["bash", "-c", command.replace('"ann"', f'"{name}"')],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        answer: Any = json.loads(done.stdout or "{}")
        if shown:
            assert set(answer) == set(json.loads(shown)), command
        if isinstance(answer, dict):
            # The sample is imported by now, so it can be neither cancelled nor retried.
            has_ended = "/cancel/" in command or "/retry/" in command
            assert answer.get("error", "") in ({"", "conflict"} if has_ended else {""}), command
            for variable, field in (("TOKEN", "token"), ("ID", "id")):
                if field in answer:
                    env.setdefault(variable, str(answer[field]))
        ran += 1
    assert ran >= 9
    assert (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_an_error_looks_as_the_page_shows_it(db: None) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann"))
    shown = json.loads(re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)[0])
    answer = client.post(
        "/api/kinds/operations.findduplicates/operations/", {"threshold": 300}, format="json"
    )
    assert answer.json() == shown


def test_the_rates_are_those_of_the_settings() -> None:
    rows = re.findall(r"^\| `(API_\w+_RATE)` \| `(\S+)` \|", PAGE, flags=re.MULTILINE)
    rates = REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    assert dict(rows) == {f"API_{name.upper()}_RATE": rate for name, rate in rates.items()}
