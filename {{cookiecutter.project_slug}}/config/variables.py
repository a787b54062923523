"""The environment variables, `.env` among them; a value that cannot work is refused in words."""

import os
import re
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
        *("accounts", "api", "csp-report", "favicon.ico", "healthz"),
        *("operations", "start", "static", "ws"),
    }
)
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
