"""10,000 lines as fast as `run()` can report them, to one client and to a hundred."""

from benchmarks.contenders import Contender
from benchmarks.runs import Run, watched_run
from benchmarks.table import Gain, Limit, Row, Sample, Scenario, Sizes, Stated

PEERS = ("peer_core", "peer_pubsub")


def sample_of(run: Run) -> Sample:
    per_ten_thousand = 10_000 / run.lines
    return {
        "lost": run.lost,
        "call_us": run.result["call_us"],
        "lines_per_second": run.lines_per_second,
        "p50_s": run.latency(0.5),
        "p99_s": run.latency(0.99),
        "web_cpu_s": run.web_cpu * per_ten_thousand,
        "all_cpu_s": run.all_cpu * per_ten_thousand,
        "client_cpu_s": run.client_cpu * per_ten_thousand,
    }


async def one_client(contender: Contender, sizes: Sizes) -> Sample:
    lines = sizes.burst_lines if contender.records else sizes.peer_burst_lines
    return sample_of(await watched_run(contender, lines=lines))


async def crowd(contender: Contender, sizes: Sizes) -> Sample:
    lines = sizes.burst_lines if contender.records else sizes.peer_crowd_lines
    return sample_of(await watched_run(contender, clients=sizes.crowd, lines=lines))


BURST = Scenario(name="burst", contenders=("ours", *PEERS), measure=one_client)
CROWD = Scenario(name="crowd", contenders=("ours", *PEERS), measure=crowd)

ROWS = [
    Row(
        name="p.log() in a burst, per call",
        unit="µs",
        scenario=BURST,
        value="call_us",
        target=Gain(times=1000),
        peers=PEERS,
    ),
    Row(
        name="10,000 lines to one client, recorded and shown",
        unit="lines/s",
        scenario=BURST,
        value="lines_per_second",
        better="higher",
        target=Gain(times=200),
        peers=PEERS,
    ),
    Row(
        name="server CPU per 10,000 lines in a burst",
        unit="s",
        scenario=BURST,
        value="web_cpu_s",
        target=Gain(times=100),
        peers=PEERS,
    ),
    Row(
        name="the same with worker, Redis and database",
        unit="s",
        scenario=BURST,
        value="all_cpu_s",
        target=Stated(),
        peers=PEERS,
    ),
    Row(
        name="10,000 lines to 100 clients",
        unit="lines/s",
        scenario=CROWD,
        value="lines_per_second",
        better="higher",
        target=Gain(times=400),
        peers=PEERS,
    ),
    Row(
        name="10,000 lines to 100 clients, p99",
        unit="s",
        scenario=CROWD,
        value="p99_s",
        target=Limit(most=1.0),
        peers=PEERS,
    ),
    Row(
        name="CPU of the 100 clients themselves, per 10,000 lines",
        unit="s",
        scenario=CROWD,
        value="client_cpu_s",
        target=Stated(),
        peers=PEERS,
        essential=False,
    ),
]
