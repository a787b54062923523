"""One user, or one address, that wants all connections for itself."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from statistics import median
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from liveops.conf import conf
from tests.processes import wait_until
from tests.security.cast import CAST, Visitor
from tests.security.promises import Figures
from tests.security.raw import RawSocket
from tests.security.sockets import ANSWER_WITHIN, OK
from tests.security.stack import SecurityStack

CONNECTIONS = 1000
# So many at a time, because an address may not have more that have not subscribed yet.
AT_ONCE = 20
# Seconds that another user waits at most, however many come.
SERVED_WITHIN = 3.0
TOO_MANY = 4429
# What a client makes of a connection that broke before the server's code came through, as it can
# where both have more to do than they can. Whoever breaks off is shut out as well.
BROKEN = 1006
BROKEN_AT_MOST = 0.01 * CONNECTIONS
# Every address of 127.0.0.0/8 is this machine; to the site each is somebody else.
CROWD, NEIGHBOUR = "127.0.0.9", "127.0.0.10"


@asynccontextmanager
async def opened(
    stack: SecurityStack, visitor: Visitor, source: str
) -> AsyncIterator[ClientConnection]:
    origin: Any = stack.base_url
    async with connect(
        stack.ws_url,
        origin=origin,
        additional_headers={"Cookie": visitor.cookie},
        compression=None,
        open_timeout=ANSWER_WITHIN,
        close_timeout=1,
        ping_interval=None,
        proxy=None,
        local_addr=(source, 0),
    ) as websocket:
        yield websocket


async def subscribe(websocket: ClientConnection, token: str) -> str | int | None:
    try:
        await websocket.send(json.dumps({"type": "subscribe", "token": token}))
        answer = json.loads(await asyncio.wait_for(websocket.recv(), ANSWER_WITHIN))
    except ConnectionClosed:
        return websocket.close_code
    return str(answer["status"])


async def crowd_and_neighbour(
    stack: SecurityStack, crowd: Visitor, neighbour: Visitor
) -> tuple[Counter[str | int | None], list[float], list[float]]:
    """What each of the crowd's connections got; how long the neighbour's took while they came, and
    when all had come.
    """
    got: Counter[str | int | None] = Counter()
    times: list[float] = []
    gate = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as open_ones:

        async def one(token: str) -> None:
            async with gate:
                websocket = await open_ones.enter_async_context(opened(stack, crowd, CROWD))
                got[await subscribe(websocket, token)] += 1

        async def meanwhile() -> None:
            while sum(got.values()) < CONNECTIONS:
                times.append(await neighbours_time(stack, neighbour))
                await asyncio.sleep(0.1)

        tokens = [crowd.token() for _ in range(CONNECTIONS)]
        await asyncio.gather(meanwhile(), *(one(token) for token in tokens))
        afterwards = [await neighbours_time(stack, neighbour) for _ in range(10)]
    return got, times, afterwards


async def neighbours_time(stack: SecurityStack, neighbour: Visitor) -> float:
    token = await asyncio.to_thread(neighbour.token)
    began = time.monotonic()
    async with opened(stack, neighbour, NEIGHBOUR) as websocket:
        assert await subscribe(websocket, token) == OK
        return time.monotonic() - began


@pytest.mark.fault(21)
@pytest.mark.usefixtures("quiet")
def test_a_thousand_connections_of_one_user(
    stack: SecurityStack, owner: Visitor, figures: Figures
) -> None:
    with CAST["owner"](stack.base_url) as neighbour:
        alone = median([asyncio.run(neighbours_time(stack, neighbour)) for _ in range(10)])
        before = connections_of(stack)
        got, times, afterwards = asyncio.run(crowd_and_neighbour(stack, owner, neighbour))
    assert got[OK] == conf.MAX_CONNECTIONS_PER_USER
    assert got.keys() <= {OK, TOO_MANY, BROKEN}
    assert got[BROKEN] <= BROKEN_AT_MOST
    figures.note(
        f"{CONNECTIONS} connections, {got[OK]} stayed, {got[BROKEN]} broke; "
        f"a neighbour's took {alone:.3f} s before, "
        f"{median(times):.3f} s while they came {AT_ONCE} at a time, "
        f"{median(afterwards):.3f} s when they had come"
    )
    assert max(times) < SERVED_WITHIN
    assert median(afterwards) < 2 * alone + 0.1
    wait_until(lambda: connections_of(stack) <= before, "no connection is left", within=10)
    # The places are free again, all of them.
    got_again = asyncio.run(crowd_of(stack, owner, conf.MAX_CONNECTIONS_PER_USER))
    assert got_again == {OK: conf.MAX_CONNECTIONS_PER_USER}


def connections_of(stack: SecurityStack) -> int:
    """How many the web server has of visitors; those to its database and to Redis it keeps."""
    every = psutil.Process(stack.web.pid).net_connections(kind="tcp")
    return sum(bool(each.raddr) and each.laddr.port == stack.port for each in every)


async def crowd_of(stack: SecurityStack, visitor: Visitor, size: int) -> Counter[str | int | None]:
    got: Counter[str | int | None] = Counter()
    async with AsyncExitStack() as open_ones:
        for _ in range(size):
            websocket = await open_ones.enter_async_context(opened(stack, visitor, CROWD))
            got[await subscribe(websocket, visitor.token())] += 1
    return got


@contextmanager
def waiting_sockets(
    stack: SecurityStack, source: str, number: int, extra: str = ""
) -> Iterator[list[RawSocket]]:
    """Connections that never subscribe."""
    with ExitStack() as sockets:
        yield [
            sockets.enter_context(RawSocket(stack.base_url, source=source, extra=extra))
            for _ in range(number)
        ]


@pytest.mark.fault(21)
@pytest.mark.usefixtures("quiet")
def test_an_address_may_have_so_many_sockets_that_have_not_subscribed(
    stack: SecurityStack, owner: Visitor
) -> None:
    limit = conf.MAX_CONNECTIONS_PER_ADDRESS
    # A header that only a proxy may set changes nothing.
    spoofed = "X-Forwarded-For: 10.1.2.3\r\nX-Real-IP: 10.1.2.3\r\n"
    with waiting_sockets(stack, CROWD, limit) as sockets:
        with RawSocket(stack.base_url, source=CROWD, extra=spoofed) as one_too_many:
            assert one_too_many.close_code() == TOO_MANY
        assert asyncio.run(neighbours_time(stack, owner)) < 2
        # They hold their places for five seconds at most.
        assert sockets[-1].close_code() == 4408
        # Even when they do not leave by themselves.
        wait_until(
            lambda: asyncio.run(crowd_of(stack, owner, 1)) == {OK: 1}, "there is room", within=5
        )


@pytest.mark.fault(21)
@pytest.mark.usefixtures("quiet")
def test_a_flood_of_messages(stack: SecurityStack, owner: Visitor) -> None:
    async def flood() -> int | None:
        async with opened(stack, owner, CROWD) as websocket:
            assert await subscribe(websocket, await asyncio.to_thread(owner.token)) == OK
            ack = json.dumps({"type": "ack", "attempt": 1, "seq": 1})
            try:
                # The subscription was the first of them.
                for _ in range(conf.MAX_MESSAGES - 1):
                    await websocket.send(ack)
                await asyncio.sleep(0.2)
                assert websocket.close_code is None
                await websocket.send(ack)
                while True:
                    await asyncio.wait_for(websocket.recv(), ANSWER_WITHIN)
            except ConnectionClosed:
                return websocket.close_code

    assert asyncio.run(flood()) == TOO_MANY
