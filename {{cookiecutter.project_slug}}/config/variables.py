"""The environment variables, `.env` among them; a value that cannot work is refused in words."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

# The first part of every address that the site itself answers.
TAKEN = frozenset(
    {
        *("accounts", "api", "csp-report", "favicon.ico", "healthz", "metrics"),
        *("operations", "readyz", "start", "static", "ws"),
    }
)
PLAIN = re.compile(r"[!-~]+")
PART_OF_A_PATH = re.compile(r"[a-z0-9][a-z0-9._~-]*", re.ASCII | re.IGNORECASE)


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """The variable `name`, or `default` where it is not set; raises ImproperlyConfigured."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if not is_number or not least <= int(text) <= most:
        raise ImproperlyConfigured(
            f"{name} is {text!r}. Set it to a whole number from {least} to {most}, "
            f"or leave it out, which means {default}."
        )
    return int(text)


def admin_path(name: str = "ADMIN_PATH", default: str = "admin") -> str:
    """Where the admin is, without a slash before it and with one behind it."""
    text = os.environ.get(name) or default
    parts = text.removeprefix("/").removesuffix("/").split("/")
    if not all(PART_OF_A_PATH.fullmatch(part) for part in parts):
        raise ImproperlyConfigured(
            f"{name} is {text!r}. Set it to a path of letters, digits and . _ ~ - such as "
            f"back-office/, or leave it out, which means {default}/."
        )
    if parts[0].lower() in TAKEN:
        raise ImproperlyConfigured(
            f"{name} is {text!r}, and the site has other pages below {parts[0]}/. Legal is "
            f"everything that does not begin with one of: {', '.join(sorted(TAKEN))}."
        )
    return "/".join(parts) + "/"


def one_of(name: str, legal: tuple[str, ...], default: str) -> str:
    """The variable `name`, which has to be one of `legal`, or `default` where it is not set."""
    text = os.environ.get(name, "").strip() or default
    if text not in legal:
        raise ImproperlyConfigured(
            f"{name} is {text!r}. Set it to {' or '.join(legal)}, "
            f"or leave it out, which means {default}."
        )
    return text


def is_set_with(name: str, *, package: str) -> bool:
    """Whether the variable `name` is set; raises ImproperlyConfigured where `package`, which it
    needs, is not installed.
    """
    if not os.environ.get(name, "").strip():
        return False
    try:
        found = find_spec(package)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ImproperlyConfigured(
            f"{name} is set, and the package {package} is not installed. Install "
            "requirements/production.txt instead of base.txt, or leave the variable out."
        )
    return True


def secret(name: str, *, least: int) -> str:
    """The variable `name`, of which an error tells the length alone; "" where it is not set."""
    text = os.environ.get(name, "").strip()
    if text and (len(text) < least or not PLAIN.fullmatch(text)):
        raise ImproperlyConfigured(
            f"{name} has {len(text)} characters. Set it to a secret of {least} or more letters, "
            "digits and signs, without spaces; make one with "
            """`python -c "import secrets; print(secrets.token_urlsafe(32))"`; """
            "or leave it out."
        )
    return text


def file_to_touch(name: str) -> str:
    """The absolute path of a file in a folder that is there; "" where `name` is not set."""
    text = os.environ.get(name, "").strip()
    if text and not (BASE_DIR / text).parent.is_dir():
        raise ImproperlyConfigured(
            f"{name} is {text!r}, and there is no folder {(BASE_DIR / text).parent}. "
            "Make the folder, set it to a file in one that is there, or leave it out."
        )
    return str(BASE_DIR / text) if text else ""


def listening_address(name: str) -> str:
    """`host:port` to listen at; "" where `name` is not set."""
    text = os.environ.get(name, "").strip()
    host, _colon, port = text.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536
    if text and not (host and is_port):
        raise ImproperlyConfigured(
            f"{name} is {text!r}. Set it to an address and a port such as 0.0.0.0:9100 or "
            "[::]:9100, or leave it out."
        )
    return text


def folder_to_write(name: str) -> str:
    """The path of a folder, which is made where it is missing; "" where `name` is not set.

    For libraries that read the variable themselves, and take an empty one for a folder.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        os.environ.pop(name, None)
        return ""
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is {text!r}, and this folder cannot be made: {error.strerror}. "
            "Set it to a folder that can be written, or leave it out."
        ) from error
    return text
