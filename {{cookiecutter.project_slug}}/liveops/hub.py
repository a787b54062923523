"""What the websockets of a web server hear from the channel layer, all of them over one channel."""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer

from liveops.conf import conf
from liveops.failures import REDIS_UNAVAILABLE
from liveops.hints import REVOCATIONS

logger = logging.getLogger(__name__)

PAUSE_AFTER_FAILURE = 1.0
# The longest time between two looks at the clock for all members.
TICK = 1.0
# A right that ended is remembered for longer than any handshake may take, in seconds.
REMEMBERED = 600.0


class Member(Protocol):
    """A websocket that was let in."""

    def hear(self, message: dict[str, Any]) -> None:
        """Take a message, and return at once."""

    def look_at_the_clock(self, now: float) -> None:
        """Called every TICK or more often, with the monotonic time."""


class Hub:
    """Subscribes to a group once, however many members it has, and reads each message once.

    Channels would give each websocket a channel of its own: three subscriptions of Redis, and a
    queue, for each. To be used from one event loop.
    """

    def __init__(self) -> None:
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._listening_since = float("inf")
        self._lock = asyncio.Lock()
        self._groups: dict[str, set[Member]] = {}
        self._users: dict[str, set[Member]] = {}
        self._revoked: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    # Who hears what

    async def open(self) -> None:
        """Begin to listen. Raises what the layer raises when Redis is away, as does `join`."""
        if self._channel:
            return
        async with self._lock:
            if not self._channel:
                channel = await self._layer.new_channel()
                await self._layer.group_add(REVOCATIONS, channel)
                self._channel, self._listening_since = channel, time.monotonic()
                self._tasks = [asyncio.create_task(work) for work in (self._listen(), self._tick())]

    async def join(self, group: str, member: Member) -> None:
        """Let `member` hear what is sent to `group`."""
        if not self._groups.get(group):
            await self.open()
            async with self._lock:
                if group not in self._groups:
                    await self._subscribe(group)
                    self._groups[group] = set()
        self._groups[group].add(member)

    async def _subscribe(self, group: str) -> None:
        try:
            await self._layer.group_add(group, self._channel)
        except REDIS_UNAVAILABLE:
            # It may be back, and only the connection that was kept be dead.
            await self._layer.group_add(group, self._channel)

    async def leave(self, group: str, member: Member) -> None:
        members = self._groups.get(group)
        if members is None or member not in members:
            return
        members.discard(member)
        async with self._lock:
            if not members and self._groups.get(group) is members:
                del self._groups[group]
                await self._layer.group_discard(group, self._channel)

    def enter(self, user_key: str, member: Member) -> None:
        """Let `member` hear when a right of this user ends; and look at the clock."""
        self._users.setdefault(user_key, set()).add(member)

    def go(self, user_key: str, member: Member) -> None:
        if members := self._users.get(user_key):
            members.discard(member)
            if not members:
                del self._users[user_key]

    def knows_of_no_end(self, user_key: str, since: float) -> bool:
        """Whether what was known of the user's rights at this monotonic time holds, unless a hint
        got lost: no word came that one of them has ended, and any would have been heard.
        """
        heard_all = self._listening_since <= since and time.monotonic() - since < REMEMBERED
        return heard_all and self._revoked.get(user_key, 0.0) < since

    # What comes

    async def _listen(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except REDIS_UNAVAILABLE as error:
                logger.warning("nothing is heard through Redis: %s", error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
                # What was said meanwhile may not have been heard.
                self._listening_since = time.monotonic()
                continue
            for member in list(self._addressed_by(message)):
                member.hear(message)

    def _addressed_by(self, message: dict[str, Any]) -> Iterator[Member]:
        group = message.get("group", "")
        if group == REVOCATIONS:
            now = time.monotonic()
            for user_key in message["users"]:
                self._revoked[user_key] = now
                yield from self._users.get(user_key, ())
        else:
            yield from self._groups.get(group, ())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(min(TICK, conf.HEARTBEAT_EVERY, conf.REVALIDATE_EVERY))
            now = time.monotonic()
            for members in list(self._users.values()):
                for member in list(members):
                    member.look_at_the_clock(now)
            if self._revoked:
                kept = {key: at for key, at in self._revoked.items() if now - at < REMEMBERED}
                self._revoked = kept


def current_hub() -> Hub:
    """The hub of the running event loop; a web server has one of both."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
    return hub


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()
