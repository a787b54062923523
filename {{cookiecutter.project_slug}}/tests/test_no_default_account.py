"""A new site has no account, and nothing that it brings makes one with a password that is known."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import PYTHON, SITE

APPS = ("accounts", "api", "config", "liveops", "operations")
MAKE_ACCOUNTS = {"create_user", "create_superuser", "make_password", "set_password", "loaddata"}
MODULES = sorted(
    path.relative_to(SITE).as_posix()
    for app in APPS
    for path in (SITE / app).rglob("*.py")
    if "tests" not in path.parts
)


def test_a_freshly_migrated_site_has_no_account(tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DOMAIN_NAME": "live.example.org",
        "SECRET_KEY": "x" * 50,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}",
    }
    count = "from accounts.models import User; print(User.objects.count())"
    printed = [
        subprocess.run(
            [PYTHON, "manage.py", *arguments], cwd=SITE, env=env, capture_output=True, check=True
        ).stdout.decode()
        for arguments in (["migrate", "-v0"], ["shell", "-v0", "-c", count])
    ]
    assert printed[-1] == "0\n"


def called(path: Path) -> set[str]:
    """The names of all functions and methods that a module calls."""
    calls = [
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    ]
    return {getattr(function, "attr", getattr(function, "id", "")) for function in calls}


@pytest.mark.parametrize("module", MODULES)
def test_no_code_of_the_site_makes_an_account_or_a_password(module: str) -> None:
    assert called(SITE / module).isdisjoint(MAKE_ACCOUNTS)


def test_that_would_be_noticed(tmp_path: Path) -> None:
    culprit = tmp_path / "culprit.py"
    culprit.write_text("User.objects.create_superuser('admin', password='admin')")
    assert called(culprit) & MAKE_ACCOUNTS == {"create_superuser"}


def test_no_data_comes_with_the_code() -> None:
    assert [path for app in APPS for path in (SITE / app).rglob("fixtures/*")] == []
