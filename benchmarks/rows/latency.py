"""50 reports a second, one client: from the call of `p.log()` to the arrival of the line."""

from benchmarks.contenders import Contender
from benchmarks.runs import watched_run
from benchmarks.table import Gain, Limit, Row, Sample, Scenario, Share, Sizes, Stated

PEERS = ("peer_core", "peer_pubsub")
PER_SECOND = 50


async def steady(contender: Contender, sizes: Sizes) -> Sample:
    return await _steady(contender, sizes, busy=False)


async def computing(contender: Contender, sizes: Sizes) -> Sample:
    return await _steady(contender, sizes, busy=True)


async def _steady(contender: Contender, sizes: Sizes, *, busy: bool) -> Sample:
    lines = sizes.steady_lines
    run = await watched_run(contender, lines=lines, per_second=PER_SECOND, busy=busy)
    seconds = lines / PER_SECOND
    return {
        "lost": run.lost,
        "call_us": run.result["call_us"],
        "p50_ms": run.latency(0.5) * 1e3,
        "p99_ms": run.latency(0.99) * 1e3,
        "web_cpu_ms": run.web_cpu / seconds * 1e3,
        "all_cpu_ms": run.all_cpu / seconds * 1e3,
    }


STEADY = Scenario(name="steady", contenders=("ours", "ours_sqlite", *PEERS), measure=steady)
COMPUTING = Scenario(name="computing", contenders=("ours", *PEERS), measure=computing)


def _latency(value: str, share: float, name: str, ours: str = "ours") -> Row:
    target = Share(times=share)
    return Row(
        name=f"latency at 50 reports/s, {name}",
        unit="ms",
        scenario=STEADY,
        value=value,
        target=target,
        ours=ours,
        peers=PEERS,
    )


ROWS = [
    Row(
        name="p.log() at 50 per second, per call",
        unit="µs",
        scenario=STEADY,
        value="call_us",
        target=Gain(times=40),
        peers=PEERS,
    ),
    _latency("p50_ms", 1.2, "p50, PostgreSQL"),
    _latency("p99_ms", 1.5, "p99, PostgreSQL"),
    _latency("p50_ms", 1.0, "p50, SQLite", "ours_sqlite"),
    _latency("p99_ms", 1.2, "p99, SQLite", "ours_sqlite"),
    Row(
        name="latency at 50 reports/s from a CPU-bound run(), p50",
        unit="ms",
        scenario=COMPUTING,
        value="p50_ms",
        target=Share(times=5),
        peers=PEERS,
    ),
    Row(
        name="latency at 50 reports/s from a CPU-bound run(), p99",
        unit="ms",
        scenario=COMPUTING,
        value="p99_ms",
        target=Limit(most=100),
        peers=PEERS,
    ),
    Row(
        name="server CPU at 50 reports/s",
        unit="ms/s",
        scenario=STEADY,
        value="web_cpu_ms",
        target=Share(times=1),
        peers=PEERS,
    ),
    Row(
        name="the same with worker, Redis and database",
        unit="ms/s",
        scenario=STEADY,
        value="all_cpu_ms",
        target=Stated(),
        peers=PEERS,
    ),
]
