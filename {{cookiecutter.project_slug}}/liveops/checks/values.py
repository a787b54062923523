"""Whether each value in `LIVEOPS` can work, alone and beside the others."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_origin, get_type_hints
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from liveops.conf import LiveopsSettings

TYPES = {name: hint for name, hint in get_type_hints(LiveopsSettings).items() if name.isupper()}
OWN_RANGE = {"RETENTION_DAYS", "MAX_RUNNING_PER_USER", "MAX_STARTS_PER_MINUTE"}
SHORTEST_TOKEN_TTL, LONGEST_TOKEN_TTL = 5, 86_400
LONGEST_RETENTION = 36_500


def configured() -> Mapping[str, Any]:
    value = getattr(settings, "LIVEOPS", {})
    return value if isinstance(value, Mapping) else {}


def is_of_type(value: Any, hint: Any) -> bool:
    if get_origin(hint) is tuple:
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def value_of(name: str) -> Any:
    """What `conf` gives; where that has the wrong type, which E001 and E003 say, the default."""
    default = vars(LiveopsSettings)[name]
    value = configured().get(name, default)
    return value if is_of_type(value, TYPES[name]) else default


@checks.register(checks.Tags.compatibility)
def check_that_liveops_is_a_dictionary(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    value = getattr(settings, "LIVEOPS", {})
    if not isinstance(value, Mapping):
        yield checks.Error(
            f"LIVEOPS is {value!r}.",
            hint='Set it to a dictionary such as {"TOKEN_TTL": 300}, or leave it out.',
            id="liveops.E001",
        )


@checks.register(checks.Tags.compatibility)
def check_names(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for name in configured():
        if name in TYPES:
            continue
        near = get_close_matches(str(name), TYPES, n=1)
        advice = f"Did you mean {near[0]!r}?" if near else f"Legal are: {', '.join(sorted(TYPES))}."
        yield checks.Error(f"LIVEOPS has no setting {name!r}.", hint=advice, id="liveops.E002")


@checks.register(checks.Tags.compatibility)
def check_types(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for name, value in configured().items():
        hint = TYPES.get(name)
        if hint is None or is_of_type(value, hint):
            continue
        wanted = (
            "a tuple of strings"
            if get_origin(hint) is tuple
            else f"a value of type {hint.__name__}"
        )
        yield checks.Error(
            f'LIVEOPS["{name}"] is {value!r}.',
            hint=f"Set it to {wanted}, as the default {vars(LiveopsSettings)[name]!r} is.",
            id="liveops.E003",
        )


@checks.register(checks.Tags.compatibility)
def check_numbers(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for name, value in configured().items():
        if name in OWN_RANGE:
            continue
        if TYPES.get(name) in {int, float} and is_of_type(value, TYPES[name]) and value <= 0:
            yield checks.Error(
                f'LIVEOPS["{name}"] is {value!r}.',
                hint=f"Set it to a number above 0; the default is {vars(LiveopsSettings)[name]!r}.",
                id="liveops.E004",
            )


@checks.register(checks.Tags.security)
def check_token_lifetime(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    ttl = value_of("TOKEN_TTL")
    if not SHORTEST_TOKEN_TTL <= ttl <= LONGEST_TOKEN_TTL:
        yield checks.Error(
            f'LIVEOPS["TOKEN_TTL"] is {ttl:g} s.',
            hint=f"Legal are {SHORTEST_TOKEN_TTL} to {LONGEST_TOKEN_TTL} s: a page must be able to "
            "use its token, and a leaked one must not work for long.",
            id="liveops.E005",
        )


@checks.register(checks.Tags.compatibility)
def check_heartbeat(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    every, lost_after = value_of("HEARTBEAT_EVERY"), value_of("LOST_AFTER")
    if every >= lost_after / 2:
        yield checks.Error(
            f'LIVEOPS["HEARTBEAT_EVERY"] is {every:g} s, and "LOST_AFTER" {lost_after:g} s.',
            hint="Set LOST_AFTER to more than twice HEARTBEAT_EVERY, else one late sign of life "
            "makes a working run count as lost.",
            id="liveops.E006",
        )


@checks.register(checks.Tags.security)
def check_origins(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for origin in value_of("ALLOWED_ORIGINS"):
        if not is_origin(origin):
            yield checks.Error(
                f'LIVEOPS["ALLOWED_ORIGINS"] has {origin!r}.',
                hint="Write scheme, host and, where it is not the usual one, port: "
                "https://live.example.org, or https://.example.org for all hosts below.",
                id="liveops.E007",
            )


def is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        well_formed = parts.port != 0 and bool(parts.hostname) and "*" not in text
    except ValueError:
        return False
    rest = (parts.path, parts.query, parts.fragment)
    return well_formed and parts.scheme in {"http", "https"} and not any(rest) and "@" not in text


@checks.register(checks.Tags.compatibility)
def check_retention(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    days = value_of("RETENTION_DAYS")
    if not 0 <= days <= LONGEST_RETENTION:
        yield checks.Error(
            f'LIVEOPS["RETENTION_DAYS"] is {days!r}.',
            hint=f"Set it to a number of days from 1 to {LONGEST_RETENTION}, or to 0, which keeps "
            "finished operations for ever.",
            id="liveops.E008",
        )


@checks.register(checks.Tags.compatibility)
def check_limits(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for name in ("MAX_RUNNING_PER_USER", "MAX_STARTS_PER_MINUTE"):
        if value_of(name) < 0:
            yield checks.Error(
                f'LIVEOPS["{name}"] is {value_of(name)!r}.',
                hint="Set it to a whole number above 0, or to 0 for no limit.",
                id="liveops.E009",
            )


@checks.register(checks.Tags.security)
def check_upload_types(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for ending in value_of("UPLOAD_TYPES"):
        if not ending or ending != ending.lower() or "." in ending:
            yield checks.Error(
                f'LIVEOPS["UPLOAD_TYPES"] has {ending!r}, which no file name can match.',
                hint='Write what follows the last dot, in small letters: "csv".',
                id="liveops.E017",
            )
