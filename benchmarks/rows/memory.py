"""What an idle socket costs the web server in memory."""

import asyncio

from benchmarks.contenders import Contender
from benchmarks.table import Row, Sample, Scenario, Share, Sizes, Stated
from benchmarks.watchers import close_all, open_all

PEERS = ("peer_core", "peer_pubsub")
# The first sockets load code and fill pools.
FIRST = 30
REST = 1.0


async def idle_sockets(contender: Contender, sizes: Sizes) -> Sample:
    """In a server that was just started, beyond the first sockets."""
    await contender.restart_web()
    count = FIRST + sizes.idle_sockets
    operations = await contender.driver.call("create", count=count)
    tokens = await contender.driver.call("tokens", ids=operations)
    watchers = [contender.watcher(token) for token in tokens]
    try:
        await open_all(watchers[:FIRST])
        await asyncio.sleep(REST)
        before = contender.web.memory()
        await open_all(watchers[FIRST:])
        await asyncio.sleep(REST)
        grown = contender.web.memory() - before
        closed = sum(not watcher.is_open for watcher in watchers)
    finally:
        await close_all(watchers)
        await contender.driver.call("forget", ids=operations)
    return {"lost": closed / count, "kib": grown / sizes.idle_sockets / 1024}


IDLE = Scenario(name="idle-sockets", contenders=("ours", *PEERS, "floor"), measure=idle_sockets)

ROWS = [
    Row(
        name="memory per idle socket",
        unit="KiB",
        scenario=IDLE,
        value="kib",
        target=Share(times=1),
        peers=PEERS,
    ),
    Row(
        name="memory per idle socket of Daphne alone",
        unit="KiB",
        scenario=IDLE,
        value="kib",
        target=Stated(),
        ours="floor",
        essential=False,
    ),
]
