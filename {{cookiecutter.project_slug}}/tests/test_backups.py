"""What deploy/backups.sh does by itself: when the next one is due, what it keeps, how it fails."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.processes import SITE

SCRIPT = SITE / "deploy" / "backups.sh"
URL = "postgres://site:secret@127.0.0.1:1/site"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script with folders of this test in the place of the container's."""
    if not shutil.which("pg_dump"):
        pytest.skip("no pg_dump was found, which backups are made with")
    text = SCRIPT.read_text(encoding="utf-8")
    for name in ("BACKUPS=/backups", "MEDIA=/media", "FAILED=/tmp/failed"):
        assert f"\n{name}\n" in text
        variable, path = name.split("=")
        text = text.replace(f"\n{name}\n", f"\n{variable}={tmp_path}{path}\n")
    for folder in ("backups", "media", "tmp"):
        (tmp_path / folder).mkdir()
    copy = tmp_path / "backups.sh"
    copy.write_text(text, encoding="utf-8")
    return copy


def environment(**variables: str) -> dict[str, str]:
    given = {"DATABASE_URL": URL, "BACKUP_HOUR": "3", "BACKUP_KEEP": "14", "TZ": "UTC"}
    return {"PATH": os.environ["PATH"], **given, **variables}


def call(script: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(script), *words],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("BACKUP_HOUR", "24"), ("BACKUP_HOUR", "three"), ("BACKUP_KEEP", "0"), ("BACKUP_KEEP", "")],
)
def test_a_value_that_cannot_work_is_named(script: Path, name: str, value: str) -> None:
    done = call(script, "nightly", **{name: value})
    assert done.returncode == 1
    assert f"{name} is '{value}'. Set it to a whole number from" in done.stderr


def test_the_next_backup_is_due_at_its_hour(script: Path) -> None:
    hour = time.gmtime(time.time() + 2 * 3600).tm_hour
    process = subprocess.Popen(
        ["bash", str(script), "nightly"],
        env=environment(BACKUP_HOUR=str(hour)),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    said = process.stderr.readline()
    process.terminate()
    assert process.wait(10) == 0, "it ends at once when it is told to"
    seconds = int(said.split(" in ")[1].split()[0])
    assert 3600 <= seconds <= 2 * 3600


def test_only_the_newest_are_kept(script: Path, tmp_path: Path) -> None:
    names = [f"site-2026-01-{day:02}T030000Z.tar.gz" for day in range(1, 8)]
    others = ["before-restore-2026-01-01T000000Z.tar.gz", "notes.txt"]
    for name in [*names, *others]:
        (tmp_path / "backups" / name).touch()
    text = script.read_text(encoding="utf-8").partition("\nconnect\ncase")[0]
    script.write_text(f"{text}\nrotate\n", encoding="utf-8")
    done = call(script, BACKUP_KEEP="3")
    assert done.returncode == 0, done.stderr
    kept = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert kept == sorted([*names[-3:], *others])


def test_a_failure_is_not_healthy(script: Path, tmp_path: Path) -> None:
    assert call(script, "is-healthy").returncode == 0
    done = call(script, "now")
    assert done.returncode != 0
    assert list((tmp_path / "backups").iterdir()) == [], "nothing half made is left"
    (tmp_path / "tmp" / "failed").touch()
    assert call(script, "is-healthy").returncode != 0


def test_the_password_is_on_no_command_line(script: Path, tmp_path: Path) -> None:
    text = script.read_text(encoding="utf-8").partition("\nconnect\ncase")[0]
    script.write_text(f'{text}\nconnect\necho "$url $PGPASSWORD"\n', encoding="utf-8")
    done = call(script, DATABASE_URL="postgresql://site:a%40b%25c@postgres:5432/site")
    assert done.stdout.strip() == "postgres://site@postgres:5432/site a@b%c"


def test_a_file_that_is_no_backup_changes_nothing(script: Path, tmp_path: Path) -> None:
    kept = tmp_path / "media" / "kept.txt"
    kept.write_text("kept")
    damaged = tmp_path / "backups" / "damaged.tar.gz"
    damaged.write_bytes(b"no archive")
    done = call(script, "restore", str(damaged))
    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert kept.read_text() == "kept"
    assert list((tmp_path / "media").iterdir()) == [kept]
