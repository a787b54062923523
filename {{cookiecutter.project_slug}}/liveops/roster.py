"""Which workers were heard of lately. A hint: whoever is missing here may work all the same."""

import logging
import time

from liveops.failures import REDIS_UNAVAILABLE
from liveops.shared_cache import shared_cache

logger = logging.getLogger(__name__)

# A worker says that it is there every few seconds; without a word for so long, it is silent.
SAYS_SO_EVERY = 5.0
SILENT_AFTER = 30.0
# One that did not say good-bye is remembered for so long.
REMEMBERED_FOR = 600.0
# A worker has other things to do than to wait for a cache that is away.
PAUSE_AFTER_FAILURE = 10.0

NAMES = "liveops:workers"


class Presence:
    """What a worker's main process says about itself. To be used by one thread."""

    def __init__(self) -> None:
        self._due_at = 0.0
        self._is_leaving = False

    def leave(self) -> None:
        """From now on `renew()` says good-bye. Touches nothing, so a signal handler may call it."""
        self._is_leaving = True

    def renew(self, name: str) -> None:
        """Say that the worker is there, unless it said so just now."""
        if self._is_leaving:
            self.end(name)
            return
        now = time.monotonic()
        if now < self._due_at:
            return
        self._due_at = now + SAYS_SO_EVERY
        try:
            _say(name)
        except REDIS_UNAVAILABLE as error:
            self._due_at = now + PAUSE_AFTER_FAILURE
            logger.warning("%s could not say that it is there: %s", name, error)

    def end(self, name: str) -> None:
        """Say that the worker has ended as it should."""
        try:
            shared_cache().delete(_key(name))
        except REDIS_UNAVAILABLE as error:
            logger.warning("%s could not say that it ends: %s", name, error)


def heard() -> dict[str, float]:
    """The Unix time, by its own clock, at which each worker was heard last.

    Raises what the cache raises.
    """
    cache = shared_cache()
    names = cache.get(NAMES) or []
    found = cache.get_many([_key(name) for name in names])
    return {name: found[_key(name)] for name in names if _key(name) in found}


def _say(name: str) -> None:
    cache = shared_cache()
    cache.set(_key(name), time.time(), REMEMBERED_FOR)
    # Two that come at once may write over each other here; the next word puts that right.
    if name not in (cache.get(NAMES) or []):
        cache.set(NAMES, sorted({*heard(), name}), timeout=None)


def _key(name: str) -> str:
    return f"liveops:worker:{name}"
