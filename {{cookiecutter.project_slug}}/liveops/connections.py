"""How many websockets one user, or one address, may have open in this web server."""

import asyncio
from collections import Counter
from weakref import WeakValueDictionary

# The database serves one after another. So many of one visitor stand in that line at a time, so
# that somebody who opens a thousand sockets keeps nobody else waiting.
TURNS_OF_ONE = 2


class Place:
    """One of them. Left once, however often that is said."""

    def __init__(self, places: "Places", who: str) -> None:
        self._places: Places | None = places
        self._who = who

    def leave(self) -> None:
        if self._places is not None:
            self._places.free(self._who)
            self._places = None


class Places:
    """Counts who is there. To be used from one event loop."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._taken.total()

    def take(self, who: str, limit: int) -> Place | None:
        """None: `who` has `limit` already."""
        if self._taken[who] >= limit:
            return None
        self._taken[who] += 1
        return Place(self, who)

    def free(self, who: str) -> None:
        self._taken[who] -= 1
        # Else every address that ever came would be remembered.
        if self._taken[who] <= 0:
            del self._taken[who]


# Sockets that have not subscribed, by address, and those that have, by the user's key.
waiting = Places()
watching = Places()


def turn_of(visitor: str) -> asyncio.Semaphore:
    """What each socket of `visitor` takes while it makes the database work."""
    turn = _turns.get(visitor)
    if turn is None:
        turn = _turns[visitor] = asyncio.Semaphore(TURNS_OF_ONE)
    return turn


# Forgotten with the last socket that waits.
_turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
