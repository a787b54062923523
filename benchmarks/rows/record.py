"""What recording costs: memory of the worker, bytes of the database."""

import asyncio

from benchmarks.contenders import Contender
from benchmarks.rows.late_joiner import long_log
from benchmarks.rows.latency import PER_SECOND
from benchmarks.runs import RUN_WITHIN, watched_run
from benchmarks.table import Limit, Row, Sample, Scenario, Sizes, Stated

MIB = 1024 * 1024
LOOK_EVERY = 0.1
SETTLE = 3.0


async def long_run(contender: Contender, sizes: Sizes) -> Sample:
    """The worker's memory over a long log, after a first one that filled its pools."""
    await long_log(contender, sizes.long_log // 20)
    before = contender.worker.memory_of_children()
    sizes_before = await contender.driver.call("database_bytes")
    run = asyncio.create_task(long_log(contender, sizes.long_log))
    most = before
    while not run.done():
        most = max(most, contender.worker.memory_of_children())
        await asyncio.sleep(LOOK_EVERY)
    operation = run.result()
    after = await contender.driver.call("database_bytes")
    found = await contender.driver.call("recorded", id=operation)
    result = await contender.outcome(operation, within=RUN_WITHIN)
    return {
        "lost": 1 - found["lines"] / sizes.long_log if found["in_order"] else 1.0,
        "growth_mib": (most - before) / MIB,
        "left_mib": (contender.worker.memory_of_children() - before) / MIB,
        "lines_per_second": 1e6 / result["call_us"],
        "bytes_per_line": (after["log"] - sizes_before["log"]) / sizes.long_log,
        "wal_per_line": (after["wal"] - sizes_before["wal"]) / sizes.long_log,
    }


async def steady_bytes(contender: Contender, sizes: Sizes) -> Sample:
    """At 50 lines a second nearly every line is a chunk of its own, the dearest case."""
    before = await contender.driver.call("database_bytes")
    run = await watched_run(contender, lines=sizes.steady_lines, per_second=PER_SECOND)
    after = await contender.driver.call("database_bytes")
    return {
        "lost": run.lost,
        "bytes_per_line": (after["log"] - before["log"]) / sizes.steady_lines,
        "wal_per_line": (after["wal"] - before["wal"]) / sizes.steady_lines,
    }


async def idle_run(contender: Contender, sizes: Sizes) -> Sample:
    """An operation that runs, and reports nothing."""
    gate = contender.gate()
    gate.touch()
    plan = {"lines": 1, "linger": sizes.idle_seconds + 2 * SETTLE, "gate": str(gate)}
    operation = await contender.driver.call("start", plan=plan)
    await asyncio.sleep(SETTLE)
    before, cpu = await contender.driver.call("database_bytes"), contender.worker.cpu_seconds()
    await asyncio.sleep(sizes.idle_seconds)
    after, cpu = (
        await contender.driver.call("database_bytes"),
        contender.worker.cpu_seconds() - cpu,
    )
    await contender.outcome(operation, within=RUN_WITHIN)
    gate.unlink()
    return {
        "wal_per_second": (after["wal"] - before["wal"]) / sizes.idle_seconds,
        "size_per_second": (after["database"] - before["database"]) / sizes.idle_seconds,
        "worker_cpu_ms": cpu / sizes.idle_seconds * 1e3,
    }


LONG = Scenario(name="long-run", contenders=("ours",), measure=long_run, only_once=True)
STEADY_BYTES = Scenario(
    name="steady-bytes", contenders=("ours",), measure=steady_bytes, only_once=True
)
IDLE = Scenario(name="idle-run", contenders=("ours",), measure=idle_run, only_once=True)


def _stated(name: str, unit: str, scenario: Scenario, value: str) -> Row:
    return Row(
        name=name, unit=unit, scenario=scenario, value=value, target=Stated(), essential=False
    )


ROWS = [
    Row(
        name="growth of the worker's memory over 1,000,000 lines",
        unit="MiB",
        scenario=LONG,
        value="growth_mib",
        target=Limit(most=10),
        essential=False,
    ),
    _stated("lines recorded per second over 1,000,000 lines", "1/s", LONG, "lines_per_second"),
    _stated("database bytes per log line, in a burst", "B", LONG, "bytes_per_line"),
    _stated("write-ahead log per log line, in a burst", "B", LONG, "wal_per_line"),
    _stated("database bytes per log line, at 50/s", "B", STEADY_BYTES, "bytes_per_line"),
    _stated("write-ahead log per log line, at 50/s", "B", STEADY_BYTES, "wal_per_line"),
    _stated("database bytes per idle running operation", "B/s", IDLE, "size_per_second"),
    _stated("write-ahead log per idle running operation", "B/s", IDLE, "wal_per_second"),
    _stated("worker CPU of an idle running operation", "ms/s", IDLE, "worker_cpu_ms"),
]
