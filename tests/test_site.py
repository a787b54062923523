"""A site with odd answers passes its own checks and tests, and is fit for production."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from serving import HOST, answers_healthz, assert_nothing_runs_in, free_port, processes_in
from template import Template

ODD_ANSWERS = {
    "project_name": "Größe & <Ünïcode> 'x' \"y\" 🚀",
    "project_slug": "odd_site",
    "domain_name": "ops.example.com",
    "admin_email": "o'brien+ops@example.com",
    "timezone": "Asia/Kathmandu",
    "required_group": "Büro & <Co> 'x'",
}
LEFT_OUT = re.compile(r"^!+ LEFT OUT.*?!+$\n(.*?)^REQUIRE_ALL=1", re.MULTILINE | re.DOTALL)
OTHER_COMMAND = re.compile(r"^\d+ .* left out; .*$", re.MULTILINE)


@pytest.fixture(scope="module")
def site(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.generate(tmp_path_factory.mktemp("odd"), **ODD_ANSWERS)


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """The environment of a site in production, where `.env` brings the secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}


def manage(
    python: str, site: Path, env: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [python, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=site, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_lint_and_types_pass(site: Path, site_python: str) -> None:
    command = ["make", "lint", f"PYTHON={site_python}"]
    result = subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_production_settings_pass_the_deployment_check(
    site: Path, site_python: str, production: dict[str, str]
) -> None:
    migrated = manage(site_python, site, production, "migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    name = ODD_ANSWERS["required_group"]
    code = f"from django.contrib.auth.models import Group; Group.objects.create(name={name!r})"
    made = manage(site_python, site, production, "shell", "--verbosity", "0", "--command", code)
    assert made.returncode == 0, made.stderr
    options = ["--deploy", "--fail-level", "WARNING", "--database", "default"]
    checked = manage(site_python, site, production, "check", *options)
    assert checked.returncode == 0, checked.stderr


def test_answers_reach_django_unchanged(
    site: Path, site_python: str, production: dict[str, str]
) -> None:
    code = (
        "import json; from django.conf import settings as s; print(json.dumps("
        "[s.SITE_NAME, s.ALLOWED_HOSTS, s.ADMINS[0][1], s.TIME_ZONE, s.LIVEOPS['REQUIRED_GROUP']]))"
    )
    shown = manage(site_python, site, production, "shell", "--verbosity", "0", "--command", code)
    assert json.loads(shown.stdout) == [
        ODD_ANSWERS["project_name"],
        [ODD_ANSWERS["domain_name"]],
        ODD_ANSWERS["admin_email"],
        ODD_ANSWERS["timezone"],
        ODD_ANSWERS["required_group"],
    ]


def test_no_migration_is_missing(site: Path, site_python: str, production: dict[str, str]) -> None:
    result = manage(site_python, site, production, "makemigrations", "--check", "--dry-run")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DOMAIN_NAME"])
def test_production_refuses_to_start_without_what_it_needs_and_names_it(
    site: Path, site_python: str, production: dict[str, str], missing: str
) -> None:
    # A variable that is set wins over .env.
    env = {**production, missing: ""}
    for command in (["manage.py", "check"], ["-c", "import config.asgi"]):
        started = subprocess.run(
            [site_python, *command], cwd=site, env=env, capture_output=True, text=True, check=False
        )
        assert started.returncode != 0
        assert f"- {missing}: " in started.stderr


def test_it_serves_pages_with_its_name_and_leaves_no_process(
    site: Path, site_python: str, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}", f"PYTHON={site_python}"],
            cwd=site,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while not answers_healthz(port):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        page = httpx.get(f"http://{HOST}:{port}/accounts/login/", trust_env=False)
        assert html.escape(ODD_ANSWERS["project_name"]) in page.text
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        assert_nothing_runs_in(site)
    finally:
        for left in processes_in(site):
            left.kill()


def test_its_own_tests_pass(
    site: Path,
    site_python: str,
    user_environment: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    left_out: Callable[[str], None],
) -> None:
    with (
        capfd.disabled(),
        subprocess.Popen(
            ["make", "test", f"PYTHON={site_python}"],
            cwd=site,
            env=user_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        assert process.stdout
        output = ""
        for line in process.stdout:
            sys.stdout.write(line)
            output += line
    assert process.returncode == 0, "the site's own tests failed: see above"
    assert re.search(r"\d+ passed", output)
    reasons = [line for section in LEFT_OUT.findall(output) for line in section.splitlines()]
    for reason in (*reasons, *OTHER_COMMAND.findall(output)):
        left_out(reason)
