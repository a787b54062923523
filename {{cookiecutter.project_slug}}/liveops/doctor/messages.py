"""Broker, channel layer and cache: a word is sent there and has to come back."""

import asyncio
import secrets
import time
from typing import Any

from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS

from liveops.doctor.companion import ANSWERS_WITHIN, ask_companion
from liveops.doctor.diagnosis import Check, Wrong
from liveops.shared_cache import shared_cache

BACK_WITHIN = 5.0


def broker_address() -> str:
    return str(current_app.conf.broker_write_url)


def check_broker() -> str:
    name, word = f"liveops.doctor.{secrets.token_hex(8)}", secrets.token_hex(8)
    began = time.monotonic()
    with (
        current_app.connection_for_write(connect_timeout=BACK_WITHIN) as connection,
        connection.SimpleQueue(name, queue_opts={"durable": False, "expires": 60}) as queue,
    ):
        try:
            queue.put(word)
            message = queue.get(timeout=BACK_WITHIN)
            message.ack()
        except queue.Empty as error:
            raise Wrong(f"a message did not come back within {BACK_WITHIN:g} s") from error
        finally:
            queue.queue.delete()
    if message.payload != word:
        raise Wrong("another message came back than the one that was sent")
    return f"a message came back after {(time.monotonic() - began) * 1000:.0f} ms"


def layer_address() -> str:
    layer: dict[str, Any] = settings.CHANNEL_LAYERS["default"]
    hosts = layer.get("CONFIG", {}).get("hosts", [])
    return " ".join([layer["BACKEND"], *map(_place_of, hosts)])


def _place_of(host: Any) -> str:
    """An address, or the master and its sentinels."""
    if not isinstance(host, dict):
        return str(host)
    return f"{host.get('master_name')} by {_join(host.get('sentinels', []))}"


def _join(addresses: list[tuple[str, int]]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in addresses)


def check_layer() -> str:
    return asyncio.run(_hear_from_companion())


async def _hear_from_companion() -> str:
    layer: Any = get_channel_layer()
    word = secrets.token_hex(8)
    group = f"liveops.doctor.{word}"
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    await asyncio.to_thread(ask_companion, "send", group, word)
    try:
        message = await asyncio.wait_for(layer.receive(channel), BACK_WITHIN)
    except TimeoutError as error:
        raise Wrong("what another process sent did not arrive here") from error
    finally:
        await layer.group_discard(group, channel)
    if message["word"] != word:
        raise Wrong("something else arrived than what another process had sent")
    return "what another process sent arrived here"


def cache_address() -> str:
    cache = settings.CACHES[DEFAULT_CACHE_ALIAS]
    sentinels = cache.get("OPTIONS", {}).get("sentinels")
    by = f" by {_join(sentinels)}" if sentinels else ""
    return f"{cache['BACKEND']} {cache.get('LOCATION', '')}{by}"


def check_cache() -> str:
    cache, word = shared_cache(), secrets.token_hex(8)
    key = f"liveops:doctor:{word}"
    cache.set(key, word, 60)
    seen = ask_companion("cache", key, word)
    if seen != word or cache.get(f"{key}:answer") != word:
        raise Wrong("another process does not see what this one stored")
    cache.delete_many([key, f"{key}:answer"])
    return "another process sees what this one stored, and the other way round"


REDIS = (
    "Start Redis, or correct {}, and REDIS_SENTINELS where there are sentinels: all processes of "
    "the site need the same one."
)

CHECKS = (
    Check(
        name="Broker",
        examine=check_broker,
        where=broker_address,
        mend=REDIS.format("BROKER_URL (else REDIS_URL counts)"),
    ),
    Check(
        name="Channel layer",
        examine=check_layer,
        where=layer_address,
        mend=REDIS.format("REDIS_URL"),
        within=ANSWERS_WITHIN + 2 * BACK_WITHIN,
    ),
    Check(
        name="Cache",
        examine=check_cache,
        where=cache_address,
        mend=REDIS.format("REDIS_URL"),
        within=ANSWERS_WITHIN + BACK_WITHIN,
    ),
)
