"""Every variable that anything reads is in .env.example, and nothing there is read by nobody."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import SITE

EXAMPLE = (SITE / ".env.example").read_text(encoding="utf-8")
LISTED = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
FILES = ("compose.yaml", "compose.dev.yaml", "deploy/proxy/Caddyfile", "deploy/backups.sh")
IN_COMPOSE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")
IN_CADDYFILE = re.compile(r"\{\$([A-Z][A-Z0-9_]*)")
IN_SCRIPT = re.compile(r"value_of ([A-Z][A-Z0-9_]*)")
# Libraries read these by themselves.
OF_LIBRARIES = ("AWS_", "OTEL_", "REMAP_SIGTERM")
# Functions of `config/variables.py`; `env.…` and `os.environ.…` are others.
READERS = {
    *("file_to_touch", "folder_to_write", "listening_address", "one_of", "secret"),
    "whole_number",
}
NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|DEBUG|HTTPS")
# Set by the program itself, or when it is called as in `PORT=8123 make run`.
NOT_CHOSEN = {"DJANGO_SETTINGS_MODULE", "PORT"}


def read_by_settings() -> Iterator[str]:
    """In `config/` and in the settings of the API."""
    for file in [*(SITE / "config").glob("*.py"), SITE / "api" / "settings.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            yield from (name for name in names_in(node) if NAME.fullmatch(name))


def names_in(node: ast.AST) -> Iterator[str]:
    """What a call reads, or what a constant or a default value names for a call elsewhere."""
    match node:
        case ast.Call(func=ast.Name(id=reader), args=[ast.Constant(value=str(name)), *_]):
            yield from [name] if reader in READERS else []
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="env") | ast.Attribute(attr="environ")),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name
        case ast.Assign(value=ast.Constant(value=str(name))):
            yield name
        case ast.arguments(defaults=[ast.Constant(value=str(name)), *_]):
            yield name


def read_by_deployment() -> Iterator[str]:
    for name in FILES:
        text = (SITE / name).read_text(encoding="utf-8")
        yield from IN_CADDYFILE.findall(text) if name.endswith("Caddyfile") else ()
        yield from IN_COMPOSE.findall(text) if name.startswith("compose") else ()
    yield from IN_SCRIPT.findall((SITE / "deploy" / "site.sh").read_text(encoding="utf-8"))


SETTINGS = set(read_by_settings())
DEPLOYMENT = set(read_by_deployment())


def test_the_readers_find_something() -> None:
    assert {"SECRET_KEY", "DOMAIN_NAME", "WORKER_DRAIN_SECONDS", "API_USER_RATE"} <= SETTINGS
    assert {"POSTGRES_PASSWORD", "BACKUP_HOUR", "LIVEOPS_MAX_UPLOAD_MB"} <= DEPLOYMENT


def test_what_is_read_is_listed() -> None:
    assert sorted((SETTINGS | DEPLOYMENT) - LISTED - NOT_CHOSEN) == []


def test_what_is_listed_is_read() -> None:
    others = {name for name in LISTED - SETTINGS - DEPLOYMENT if not name.startswith(OF_LIBRARIES)}
    assert others == set()


@pytest.mark.parametrize("name", ["SECRET_KEY", "METRICS_TOKEN", "POSTGRES_PASSWORD"])
def test_no_secret_has_a_value_here(name: str) -> None:
    assert f"\n{name}=\n" in EXAMPLE
    script = (SITE / "deploy" / "site.sh").read_text(encoding="utf-8")
    secrets = re.search(r"^SECRETS=\((.*)\)$", script, re.MULTILINE)
    assert secrets
    assert name in secrets[1].split()


def test_nothing_of_the_environment_is_in_the_image() -> None:
    assert ".*" in Path(SITE / ".dockerignore").read_text(encoding="utf-8").splitlines()
