"""Whether the site has all that it needs, answered in two seconds at most."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from channels.layers import get_channel_layer
from django.db import connection

from liveops.doctor.database import few_of, unapplied
from liveops.doctor.masking import scrub
from liveops.doctor.processes import sweep_every
from liveops.hints import read_time
from liveops.looks import WITHIN, Asked, Look
from liveops.roster import SILENT_AFTER, heard
from liveops.shared_cache import shared_cache

# A scheduler that let so many sweeps go by is late.
SWEEPS_MISSED = 3
# The layer has no limit of its own.
SEND_WITHIN = 1.5


class Status(StrEnum):
    """What a load balancer has to know."""

    READY = "ready"
    # Pages are served, but something is missing: they poll, or operations wait.
    DEGRADED = "degraded"
    # This process cannot serve pages.
    DOWN = "down"


class Word(StrEnum):
    """How a part is."""

    OK = "ok"
    # It raised, which `error` tells.
    AWAY = "away"
    # It did not answer in time.
    SILENT = "silent"
    # Nobody has heard of it.
    MISSING = "missing"
    # It was heard of too long ago.
    LATE = "late"
    # The database has not what this version of the code needs.
    UNMIGRATED = "unmigrated"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`details`: for staff; ages are in seconds."""

    state: Word = Word.OK
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Readiness:
    status: Status
    parts: dict[str, Finding]


# Asked about until there is nothing left to apply: a database does not go back.
_all_applied = threading.Event()


def _look_at_database() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _all_applied.is_set():
        if missing := unapplied():
            return Finding(state=Word.UNMIGRATED, details={"error": few_of(missing)})
        _all_applied.set()
    return Finding()


def _look_at_cache() -> Finding:
    cache, word = shared_cache(), secrets.token_hex(8)
    key = f"liveops:ready:{word}"
    cache.set(key, word, 10)
    if cache.get(key) != word:
        return Finding(state=Word.AWAY, details={"error": "it forgot a word at once"})
    cache.delete(key)
    return Finding()


def _look_at_layer() -> Finding:
    async def send() -> None:
        layer: Any = get_channel_layer()
        sending = layer.group_send("liveops.ready", {"type": "liveop.nobody"})
        await asyncio.wait_for(sending, SEND_WITHIN)

    asyncio.run(send())
    return Finding()


def _look_at_workers() -> Finding:
    ages = {name: _age(at) for name, at in heard().items()}
    if not ages:
        return Finding(state=Word.MISSING)
    state = Word.OK if min(ages.values()) <= SILENT_AFTER else Word.LATE
    return Finding(state=state, details={"ages": ages})


def _look_at_beat() -> Finding:
    at = read_time("beat")
    if at is None:
        return Finding(state=Word.MISSING)
    age = _age(at)
    state = Word.OK if age <= SWEEPS_MISSED * sweep_every() else Word.LATE
    return Finding(state=state, details={"age": age})


def _age(at: float) -> float:
    return round(max(0.0, time.time() - at), 1)


PARTS: dict[str, Callable[[], Finding]] = {
    "database": _look_at_database,
    "cache": _look_at_cache,
    "channel_layer": _look_at_layer,
    "workers": _look_at_workers,
    "beat": _look_at_beat,
}
_looks = {name: Look(look) for name, look in PARTS.items()}


def readiness() -> Readiness:
    """Look at all parts at once. Never raises."""
    asked = {name: look.ask() for name, look in _looks.items()}
    parts = {name: _answer_of(each) for name, each in asked.items()}
    if parts["database"].state is not Word.OK:
        status = Status.DOWN
    elif all(finding.state is Word.OK for finding in parts.values()):
        status = Status.READY
    else:
        status = Status.DEGRADED
    return Readiness(status=status, parts=parts)


def _answer_of(asked: Asked[Finding]) -> Finding:
    try:
        return asked.answer()
    except TimeoutError as error:
        text = scrub(str(error)) or f"no answer within {WITHIN:g} s"
        return Finding(state=Word.SILENT, details={"error": text})
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what is wrong)
        text = scrub(str(error)) or type(error).__name__
        return Finding(state=Word.AWAY, details={"error": text})
