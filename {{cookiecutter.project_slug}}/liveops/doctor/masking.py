"""Keeps passwords and keys out of what the doctor says."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings

MASK = "***"
SETTINGS_WITH_SECRETS = ("DATABASES", "CACHES", "CHANNEL_LAYERS", "CELERY_BROKER_URL")
PASSWORD_IN_ADDRESS = re.compile(r"(://[^:@/\s]*):[^\s]*@")


def scrub(text: str) -> str:
    """One line without any secret of the settings."""
    text = PASSWORD_IN_ADDRESS.sub(rf"\1:{MASK}@", " ".join(text.split()))
    # The longest first, because one may contain another.
    for secret in sorted(set(secrets()), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def secrets() -> Iterator[str]:
    token = getattr(settings, "METRICS_TOKEN", "")
    yield from filter(None, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS, token])
    for name in SETTINGS_WITH_SECRETS:
        yield from passwords(getattr(settings, name, None))


def passwords(value: Any, key: str = "") -> Iterator[str]:
    """The passwords in a setting: values named so, and those within addresses."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from passwords(item, str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from passwords(item, key)
    elif isinstance(value, str) and value:
        if "password" in key.lower():
            yield value
        elif "://" in value:
            yield from _passwords_in_address(value)


def _passwords_in_address(address: str) -> Iterator[str]:
    parts = urlsplit(address)
    _user, _colon, password = parts.netloc.rpartition("@")[0].partition(":")
    found = [password, unquote(password)]
    found += [item for name, item in parse_qsl(parts.query) if "password" in name.lower()]
    yield from filter(None, found)
