"""Sockets a second, until each page shows the operation's state and the server is done with them.

django-liveops sends each newcomer's snapshot to all who watch the same operation, so that its
server has work left when the last one is connected.
"""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.contenders import Contender
from benchmarks.table import Gain, Row, Sample, Scenario, Sizes
from benchmarks.watchers import Watcher, close_all, open_all

PEERS = ("peer_core", "peer_pubsub")
# After many sockets were closed, so that the next measurement finds the server at rest.
REST = 1.0
# Nothing was sent for so many seconds: the server is done.
QUIET = 0.5


async def distinct(contender: Contender, sizes: Sizes) -> Sample:
    operations = await contender.driver.call("create", count=sizes.connects)
    return await _connect(contender, operations)


async def same(contender: Contender, sizes: Sizes) -> Sample:
    operations = await contender.driver.call("create", count=1)
    return await _connect(contender, operations * sizes.connects)


async def _connect(contender: Contender, operations: list[str]) -> Sample:
    tokens = await contender.driver.call("tokens", ids=operations)
    watchers = [contender.watcher(token) for token in tokens]
    web = contender.web.cpu_seconds()
    try:
        began = time.monotonic_ns()
        await open_all(watchers)
        done = await _until_quiet(watchers)
        web = contender.web.cpu_seconds() - web
        unseen = sum(not watcher.is_shown for watcher in watchers)
    finally:
        await close_all(watchers)
        await contender.driver.call("forget", ids=sorted(set(operations)))
        await asyncio.sleep(REST)
    count = len(operations)
    return {
        "lost": unseen / count,
        "per_second": count / (done - began) * 1e9,
        "web_cpu_ms": web / count * 1e3,
    }


async def _until_quiet(watchers: Sequence[Watcher]) -> int:
    """When the last of them was told a state, on the monotonic clock in nanoseconds."""
    while True:
        last = max(watcher.last_state_at for watcher in watchers)
        if time.monotonic_ns() - last > QUIET * 1e9:
            return last
        await asyncio.sleep(QUIET / 10)


DISTINCT = Scenario(name="connect", contenders=("ours", *PEERS), measure=distinct)
SAME = Scenario(name="connect-one", contenders=("ours", *PEERS), measure=same)


def _row(name: str, scenario: Scenario, times: float) -> Row:
    return Row(
        name=f"connects per second, {name}",
        unit="1/s",
        scenario=scenario,
        value="per_second",
        better="higher",
        target=Gain(times=times),
        peers=PEERS,
    )


ROWS = [_row("distinct operations", DISTINCT, 1.2), _row("one operation", SAME, 8)]
