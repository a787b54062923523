"""Whether Redis and Celery are set up so that pages stay live and runs are watched over."""

from collections.abc import Iterator
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.core import checks
from django.core.cache import DEFAULT_CACHE_ALIAS

from liveops.checks.values import value_of

PUBSUB_LAYER = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE_LAYER = "channels_redis.core.RedisChannelLayer"
IN_MEMORY_LAYER = "channels.layers.InMemoryChannelLayer"
CACHES_OF_ONE_PROCESS = {
    "django.core.cache.backends.locmem.LocMemCache",
    "django.core.cache.backends.dummy.DummyCache",
}


def layer_backend() -> str:
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    return str(layers.get("default", {}).get("BACKEND", ""))


@checks.register(checks.Tags.compatibility)
def check_channel_layer(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not layer_backend():
        yield checks.Error(
            "CHANNEL_LAYERS has no default layer, so no page would be live.",
            hint=f'Set CHANNEL_LAYERS["default"]["BACKEND"] to "{PUBSUB_LAYER}".',
            id="liveops.E010",
        )


@checks.register(checks.Tags.compatibility)
def check_channel_layer_is_shared(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if layer_backend() == IN_MEMORY_LAYER and not settings.DEBUG:
        yield checks.Error(
            f"The channel layer is {IN_MEMORY_LAYER}, which workers do not share.",
            hint=f'Set CHANNEL_LAYERS["default"]["BACKEND"] to "{PUBSUB_LAYER}".',
            id="liveops.E011",
        )


@checks.register(checks.Tags.compatibility)
def check_channel_layer_works_with_redis(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if layer_backend() == CORE_LAYER and int(redis.__version__.split(".")[0]) >= 8:
        yield checks.Error(
            f"The channel layer is {CORE_LAYER}, and redis-py is {redis.__version__}: "
            "an idle page would be cut off after 5 s.",
            hint=f'Set CHANNEL_LAYERS["default"]["BACKEND"] to "{PUBSUB_LAYER}".',
            id="liveops.E012",
        )


@checks.register(checks.Tags.caches)
def check_cache_is_shared(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    backend = settings.CACHES.get(DEFAULT_CACHE_ALIAS, {}).get("BACKEND", "")
    if backend in CACHES_OF_ONE_PROCESS and not settings.DEBUG:
        yield checks.Error(
            f"The default cache is {backend}, which each process has for itself: a token could "
            "be used twice, and a working run count as lost.",
            hint='Set CACHES["default"]["BACKEND"] to '
            '"django.core.cache.backends.redis.RedisCache".',
            id="liveops.E013",
        )


@checks.register(checks.Tags.compatibility)
def check_time_limits(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    lost_after = value_of("LOST_AFTER")
    for name in ("task_time_limit", "task_soft_time_limit"):
        limit = current_app.conf[name]
        if limit is not None and limit < lost_after:
            yield checks.Error(
                f"CELERY_{name.upper()} is {limit:g} s, less than "
                f'LIVEOPS["LOST_AFTER"], which is {lost_after:g} s.',
                hint="Leave the limit out, or set it above what the longest operation takes: "
                "Celery kills a run at its limit.",
                id="liveops.E014",
            )


@checks.register(checks.Tags.compatibility)
def check_acknowledgement(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if current_app.conf.task_acks_late:
        yield checks.Warning(
            "CELERY_TASK_ACKS_LATE is on: long operations get their message again and again.",
            hint="Leave it out. Each attempt is claimed in the database, so a lost message is "
            "noticed without it.",
            id="liveops.W015",
        )


@checks.register(checks.Tags.compatibility)
def check_sweep(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    schedule = current_app.conf.beat_schedule or {}
    if not any(entry.get("task") == "liveops.sweep" for entry in schedule.values()):
        yield checks.Warning(
            "CELERY_BEAT_SCHEDULE does not run liveops.sweep: lost runs and lost messages "
            "would stay unnoticed.",
            hint='Add {"sweep": {"task": "liveops.sweep", "schedule": 10.0}}.',
            id="liveops.W016",
        )
