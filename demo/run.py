"""`make demo`: generates a site from this template and serves it on this machine.

Everything it makes is in `build/`, and what is there already is used again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from types import FrameType

from server import HOST, is_free, on_ending_signals, serve

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
SITE = BUILD / "live_operations"
NEW = BUILD / "new"
VENV = BUILD / "venv"
PYTHON = VENV / "bin" / "python"
TOOLS = VENV / "template-tools"
PASSWORD = BUILD / "demo-password"
SAMPLE = SITE / "operations" / "samples" / "contacts.csv"

TOOLS_LOCK = ROOT / "requirements.txt"
SITE_LOCK = ROOT / "{{cookiecutter.project_slug}}" / "requirements" / "embedded.txt"
EXAMPLE_SETTINGS = ROOT / "{{cookiecutter.project_slug}}" / ".env.example"

OLDEST_PYTHON = (3, 11)
USER = "demo"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; legal are 1 to 65535")
    return int(text)


def run(step: str, *command: str | Path, env: dict[str, str] | None = None) -> None:
    folder = SITE if SITE.is_dir() else BUILD
    process = subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, check=False)
    if process.returncode:
        sys.exit(f"{step} failed: see the message above.")


def pip_install(step: str, *arguments: str | Path) -> None:
    say(f"{step} ...")
    # Python compiles what is imported anyway, which is a small part of what is installed.
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--require-hashes"]
    run(step, PYTHON, "-m", "pip", "install", *options, *arguments)


def install() -> None:
    locks = TOOLS_LOCK.read_bytes() + SITE_LOCK.read_bytes()
    state = hashlib.sha256(sys.version.encode() + sys.executable.encode() + locks).hexdigest()
    mark = VENV / "installed"
    if mark.exists() and mark.read_text(encoding="utf-8") == state:
        return
    say("Installing once; this takes about half a minute.")
    BUILD.mkdir(exist_ok=True)
    run("Making a virtual environment", sys.executable, "-m", "venv", "--clear", VENV)
    pip_install("Installing cookiecutter", "--target", TOOLS, "-r", TOOLS_LOCK)
    pip_install("Installing what the site needs", "-r", SITE_LOCK)
    mark.write_text(state, encoding="utf-8")


def generate() -> None:
    """Make the site anew. One that is there already keeps its secrets and its data."""
    say("Generating the site ...")
    folders = {"replay_dir": NEW / "replay", "cookiecutters_dir": NEW / "cookiecutters"}
    shutil.rmtree(NEW, ignore_errors=True)
    NEW.mkdir()
    config = NEW / "cookiecutter.yaml"
    config.write_text(
        "".join(f'{name}: "{folder}"\n' for name, folder in folders.items()), encoding="utf-8"
    )
    options = ["--no-input", "--config-file", str(config), "--output-dir", str(NEW)]
    process = subprocess.run(
        [PYTHON, "-m", "cookiecutter", *options, ROOT],
        env={**os.environ, "PYTHONPATH": str(TOOLS)},
        capture_output=True,
        check=False,
    )
    if process.returncode:
        sys.stderr.buffer.write(process.stdout + process.stderr)
        sys.exit("Generating the site failed: see the message above.")
    replace_code(NEW / SITE.name)


def replace_code(new: Path) -> None:
    SITE.mkdir(exist_ok=True)
    for path in SITE.iterdir():
        if path.name in {".env", "var"}:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in new.iterdir():
        if not (SITE / path.name).exists():
            path.rename(SITE / path.name)


def site_environment() -> dict[str, str]:
    """The environment without what another site's settings may have left in this terminal."""
    names = re.findall(r"^#?([A-Z_]+)=", EXAMPLE_SETTINGS.read_text(encoding="utf-8"), re.MULTILINE)
    foreign = {*names, "DJANGO_SETTINGS_MODULE", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**kept, "DEBUG": "1"}


def demo_password() -> str:
    if not PASSWORD.exists():
        PASSWORD.touch(mode=0o600)
        PASSWORD.write_text(secrets.token_urlsafe(9), encoding="utf-8")
    return PASSWORD.read_text(encoding="utf-8")


def fill(env: dict[str, str]) -> None:
    say("Preparing the database ...")
    run("Preparing the database", PYTHON, "manage.py", "migrate", "--verbosity", "0", env=env)
    code = (ROOT / "demo" / "seed.py").read_text(encoding="utf-8")
    run(
        *("Making the demo account", PYTHON, "manage.py", "shell", "--verbosity", "0", "-c", code),
        env={**env, "DEMO_USER": USER, "DEMO_PASSWORD": demo_password()},
    )


def announce(port: int) -> None:
    say(
        f"\n  http://{HOST}:{port}/\n"
        f"  sign in as {USER} with the password {demo_password()}\n"
        f"  a file to import: {os.path.relpath(SAMPLE)}\n"
        "  Ctrl-C stops everything.\n"
    )


def leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=port_number, default=8000, help="where the site is served")
    return parser.parse_args()


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"{sys.executable} is Python {sys.version.split()[0]}; the site needs 3.11 or newer: "
            "make demo PYTHON=python3.12"
        )
    port = parse_arguments().port
    if not is_free(port):
        sys.exit(f"Port {port} is taken. Choose another one: make demo PORT={port % 65535 + 1}")
    on_ending_signals(leave)
    install()
    generate()
    env = site_environment()
    fill(env)
    command = [str(PYTHON), "dev.py", "--port", str(port)]
    return serve(command, SITE, env, port, lambda: announce(port))


if __name__ == "__main__":
    sys.exit(main())
