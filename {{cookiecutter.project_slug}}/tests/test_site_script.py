"""What deploy/site.sh says before it touches a container."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import SITE

EXAMPLE = re.sub(r"^\w+=.*\{\{.*$\n", "", (SITE / ".env.example").read_text(), flags=re.MULTILINE)
NAMES = "COMPOSE_PROJECT_NAME=site\nDOMAIN_NAME=live.example.org\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    shutil.copy(SITE / "deploy" / "site.sh", tmp_path / "deploy")
    (tmp_path / ".env.example").write_text(EXAMPLE + NAMES)
    return tmp_path


def call(site: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    # A program that fails would be said; none of these tests may get as far as to call it.
    env = {"PATH": os.environ["PATH"], "COMPOSE": "false", **variables}
    return subprocess.run(
        ["bash", "deploy/site.sh", *words],
        cwd=site,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_secrets_are_made_once_and_for_their_owner_alone(site: Path) -> None:
    made = call(site, "secrets")
    assert made.returncode == 0
    assert made.stdout.count(": made ") == 4
    first = (site / ".env").read_text()
    assert (site / ".env").stat().st_mode & 0o777 == 0o600
    secrets = re.findall(r"^(?:SECRET_KEY|METRICS_TOKEN|POSTGRES_PASSWORD)=(.*)$", first, re.M)
    assert len(set(secrets)) == 3
    assert all(re.fullmatch(r"[\w-]{64}", secret) for secret in secrets)
    again = call(site, "secrets")
    assert (again.returncode, again.stdout) == (0, "")
    assert (site / ".env").read_text() == first


def test_a_secret_that_is_there_stays(site: Path) -> None:
    (site / ".env").write_text(f"SECRET_KEY={'k' * 50}\n")
    call(site, "secrets")
    assert f"SECRET_KEY={'k' * 50}\n" in (site / ".env").read_text()


@pytest.mark.parametrize("command", ["up", "deploy", "backup"])
def test_without_env_it_says_how_to_get_one(site: Path, command: str) -> None:
    done = call(site, command)
    assert done.returncode == 1
    assert "There is no .env. 'make secrets' makes one" in done.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("POSTGRES_PASSWORD=", "POSTGRES_PASSWORD in .env has 0 characters"),
        ("SECRET_KEY=changeme", "SECRET_KEY in .env has 8 characters"),
        (f"POSTGRES_PASSWORD={'a/b@' * 10}", "only letters, digits and . _ ~ - are legal"),
        ("DOMAIN_NAME=", "DOMAIN_NAME is missing from .env"),
        ("COMPOSE_PROJECT_NAME=", "COMPOSE_PROJECT_NAME is missing from .env"),
    ],
)
def test_a_setting_that_cannot_work_is_named(site: Path, line: str, says: str) -> None:
    call(site, "secrets")
    with (site / ".env").open("a") as file:
        file.write(f"{line}\n")
    done = call(site, "up")
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.parametrize("part", ["web=0", "web=100", "beat=2", "worker", "worker=two"])
def test_a_number_of_replicas_that_cannot_be_is_named(site: Path, part: str) -> None:
    call(site, "secrets")
    done = call(site, "scale", part)
    assert done.returncode == 1
    assert f"'{part}' is no number of web servers or workers from 1 to 99" in done.stderr


def test_without_an_engine_it_says_what_it_needs(site: Path, tmp_path: Path) -> None:
    call(site, "secrets")
    (tmp_path / "bin").mkdir()
    for name in ("bash", "dirname"):
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    done = call(site, "up", PATH=str(tmp_path / "bin"), COMPOSE="")
    assert done.returncode == 1
    assert "needs Docker with its compose plugin, or podman and podman-compose" in done.stderr


def test_a_backup_that_is_not_there_is_named(site: Path) -> None:
    call(site, "secrets")
    assert "There is no gone.tar.gz in ./backups" in call(site, "restore", "gone.tar.gz").stderr
    assert "says not which" in call(site, "restore").stderr
