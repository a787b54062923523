"""On what was measured, and which versions."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.places import HERE, ROOT
from benchmarks.programs import postgres_program, version_of

PACKAGES = {
    "this template's site": ("site", "django channels channels-redis daphne celery redis psycopg"),
    "django-liveops": (
        "django-liveops",
        "django-liveops django-channels-broadcast django channels channels-redis daphne celery "
        "redis psycopg",
    ),
    "celery-progress": (
        "celery-progress",
        "celery-progress django daphne gunicorn celery redis",
    ),
}


def facts(pythons: dict[str, Path], redis: str) -> list[str]:
    """One line each: date, commit, machine, programs, and the packages of each contender."""
    return [
        f"date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"commit: {commit()}",
        f"machine: {processor()}, {os.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()} "
        f"{platform.release()}, load before {os.getloadavg()[0]:.2f}",
        f"Python {platform.python_version()}, {version_of(postgres_program('postgres'))}, "
        f"{version_of(redis)}",
        *(
            f"{title}: {', '.join(versions(pythons[name], packages.split()))}"
            for title, (name, packages) in PACKAGES.items()
        ),
    ]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    """The commit of the working tree, with a "+" when the site's files differ from it."""
    command = ["git", "-C", str(ROOT)]
    site = [":/{{cookiecutter.project_slug}}", f":/{HERE.name}"]
    head = subprocess.run(
        [*command, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    changes = subprocess.run(
        [*command, "status", "--porcelain", "--", *site],
        capture_output=True,
        text=True,
        check=False,
    )
    if head.returncode:
        return "none"
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def versions(python: Path, packages: list[str]) -> list[str]:
    ask = "import sys; from importlib.metadata import version\n"
    ask += "print(*(f'{name} {version(name)}' for name in sys.argv[1:]), sep='\\n')"
    done = subprocess.run(
        [python, "-c", ask, *packages], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()
