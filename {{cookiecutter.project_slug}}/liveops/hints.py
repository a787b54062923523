"""What is said through Redis besides frames. A hint may get lost: the record is what counts."""

import logging
import time
import uuid
from collections.abc import Collection
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.utils import timezone

from liveops.conf import conf
from liveops.failures import REDIS_UNAVAILABLE
from liveops.models import LiveOperation, State
from liveops.shared_cache import shared_cache

logger = logging.getLogger(__name__)

# The group of the channel layer that every web server listens to: rights that end.
REVOCATIONS = "liveops.revocations"

# A cancel request that the database could not take waits here for so long.
CANCEL_HINT_TTL = 600
# When something happened last is remembered for a day.
TIME_HINT_TTL = 24 * 3600


def announce_change(operation: LiveOperation) -> None:
    """Tell the watchers to read the record: a state changed outside of a run."""
    tell([operation.get_channel_name()], {"type": "liveop.changed"})


def tell(groups: Collection[str], message: dict[str, Any]) -> None:
    """Send one message to all sockets in these groups of the channel layer."""

    async def send_all() -> None:
        layer = get_channel_layer()
        for group in groups:
            await layer.group_send(group, {**message, "group": group})

    try:
        async_to_sync(send_all)()
    except REDIS_UNAVAILABLE as error:
        logger.warning("%d groups were not told %s: %s", len(groups), message["type"], error)


def show_alive(operation_id: uuid.UUID, attempt: int) -> None:
    """A sign of life beside the row's heartbeat, for when the row cannot be written."""
    _set(_alive_key(operation_id, attempt), time.time(), conf.LOST_AFTER)


def is_alive(operation_id: uuid.UUID, attempt: int) -> bool:
    return _get(_alive_key(operation_id, attempt)) is not None


def seconds_silent(operation: LiveOperation) -> float | None:
    """Seconds since the worker's last sign of life; None: there was none in this attempt."""
    if operation.heartbeat_at is None:
        return None
    silent = (timezone.now() - operation.heartbeat_at).total_seconds()
    if operation.state == State.RUNNING and silent >= 2 * conf.HEARTBEAT_EVERY:
        # The run itself may hold the lock on its row.
        seen_at = _get(_alive_key(operation.pk, operation.attempt))
        silent = silent if seen_at is None else min(silent, time.time() - seen_at)
    return max(silent, 0.0)


def leave_cancel_request(operation_id: uuid.UUID, attempt: int, user_key: Any) -> bool:
    """Keep a cancel request for the worker while the row is locked. False: nobody will see it."""
    return _set(_cancel_key(operation_id, attempt), str(user_key), CANCEL_HINT_TTL)


def read_cancel_request(operation_id: uuid.UUID, attempt: int) -> str | None:
    """The key of the user who asked, if somebody did."""
    return _get(_cancel_key(operation_id, attempt))


def leave_time(event: str) -> None:
    """Remember that this happened now."""
    _set(_time_key(event), time.time(), TIME_HINT_TTL)


def last_time(event: str) -> float | None:
    """When this happened last, in Unix seconds by the clock of whoever did it."""
    return _get(_time_key(event))


def read_time(event: str) -> float | None:
    """Like `last_time()`, but raises what the cache raises."""
    at: float | None = shared_cache().get(_time_key(event))
    return at


def _alive_key(operation_id: uuid.UUID, attempt: int) -> str:
    return f"liveops:alive:{operation_id}:{attempt}"


def _cancel_key(operation_id: uuid.UUID, attempt: int) -> str:
    return f"liveops:cancel:{operation_id}:{attempt}"


def _time_key(event: str) -> str:
    return f"liveops:time:{event}"


def _set(key: str, value: object, timeout: float) -> bool:
    try:
        shared_cache().set(key, value, timeout)
    except REDIS_UNAVAILABLE as error:
        logger.warning("hint %s was not left: %s", key, error)
        return False
    return True


def _get(key: str) -> Any:
    try:
        return shared_cache().get(key)
    except REDIS_UNAVAILABLE as error:
        logger.warning("hint %s was not read: %s", key, error)
        return None
