"""From a worker thread to the channel layer."""

import asyncio
import logging
import time
from typing import Any

from channels.layers import get_channel_layer

from liveops.failures import REDIS_UNAVAILABLE

logger = logging.getLogger(__name__)

# A layer that does not answer by then is left alone for a while: a frame is only a hint.
SEND_WITHIN = 1.0
PAUSE_AFTER_FAILURE = 1.0


class FramePusher:
    """Sends to one group over an event loop, and so a Redis connection, of its own.

    `async_to_sync` would open a loop and a connection for each message, about 3 ms.
    To be used by one thread, and closed by it.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._loop = asyncio.new_event_loop()
        self._layer = get_channel_layer()
        self._paused_until = 0.0

    def push(self, message: dict[str, Any]) -> bool:
        """Send, or drop when the layer is down. True: sent."""
        if time.monotonic() < self._paused_until:
            return False
        try:
            # The web servers hear all groups over one channel.
            send = self._layer.group_send(self._group, {**message, "group": self._group})
            self._loop.run_until_complete(asyncio.wait_for(send, SEND_WITHIN))
        except REDIS_UNAVAILABLE as error:
            logger.warning("frame for %s dropped: %r", self._group, error)
            self._paused_until = time.monotonic() + PAUSE_AFTER_FAILURE
            return False
        return True

    def close(self) -> None:
        # channels-redis closes its connections when the loop is closed.
        self._loop.close()
