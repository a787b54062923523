"""Flow control: how much a socket has been sent that its browser has not seen yet."""

from collections import deque

from liveops.record import Position


class Window:
    """Bytes in flight. Daphne would keep in memory whatever a client does not read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_flight: deque[tuple[Position, int]] = deque()
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self._bytes > self._limit

    def sent(self, position: Position, size: int) -> None:
        self._in_flight.append((position, size))
        self._bytes += size

    def acknowledged(self, position: Position) -> None:
        while self._in_flight and self._in_flight[0][0] <= position:
            self._bytes -= self._in_flight.popleft()[1]
