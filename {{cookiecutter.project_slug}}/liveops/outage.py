"""What a websocket is told that comes while Redis or the database is away."""

import logging
import time
from typing import Any

from liveops.failures import DATABASE_UNAVAILABLE, REDIS_UNAVAILABLE
from liveops.metrics import WEBSOCKETS_REFUSED
from liveops.wire import Close

logger = logging.getLogger(__name__)

# The next ones are not kept waiting for what just failed.
PAUSE_AFTER_FAILURE = 1.0


class ClosedDuringOutage:
    """Closes with 1013 the websockets that `app` cannot serve, because a service is away.

    Channels reads the user from the database and joins the channel layer before it hands the
    connection to the consumer, which therefore cannot refuse it by itself: the server would
    answer 500.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.away_until = 0.0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        accepted = False

        async def note_and_send(message: dict[str, Any]) -> None:
            nonlocal accepted
            accepted = accepted or message["type"] == "websocket.accept"
            await send(message)

        for is_last_try in (False, True):
            try:
                if time.monotonic() >= self.away_until:
                    await self.app(scope, receive, note_and_send)
                    return
            except (*DATABASE_UNAVAILABLE, *REDIS_UNAVAILABLE) as error:
                # It may be back, and only the connection that was kept be dead.
                if not accepted and not is_last_try:
                    continue
                self.away_until = time.monotonic() + PAUSE_AFTER_FAILURE
                logger.warning("websockets are closed with %d: %s", Close.OVERLOADED, error)
                break
        if not accepted:
            # A browser gets to know the code only after that.
            await send({"type": "websocket.accept"})
        WEBSOCKETS_REFUSED.labels(int(Close.OVERLOADED)).inc()
        await send({"type": "websocket.close", "code": int(Close.OVERLOADED)})
