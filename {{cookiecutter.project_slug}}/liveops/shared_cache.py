"""The cache, over few connections."""

import functools
from typing import Any

from django.core.cache import DEFAULT_CACHE_ALIAS, BaseCache, caches
from django.core.signals import setting_changed
from django.dispatch import receiver


@functools.cache
def shared_cache() -> BaseCache:
    """The default cache, the same for all threads of this process.

    Django makes one for each thread, and each run has a thread of its own: that would be a Redis
    connection per run, and one that stays open until the garbage collector comes by.
    """
    return caches.create_connection(DEFAULT_CACHE_ALIAS)


@receiver(setting_changed)
def forget(*, setting: str, **_kwargs: Any) -> None:
    if setting == "CACHES":
        shared_cache.cache_clear()
