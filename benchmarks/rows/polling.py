"""A hundred pages that watch an operation which reports every five seconds."""

import asyncio

from benchmarks.contenders import Contender
from benchmarks.pollers import POLL_EVERY, Poller
from benchmarks.runs import RUN_WITHIN
from benchmarks.table import Gain, Row, Sample, Scenario, Sizes, Stated
from benchmarks.watchers import Watcher, close_all, open_all

POLLED = ("polling", "polling_wsgi")
REPORT_EVERY = 5.0
PAGES = 100
SETTLE = 2.0
# So that it still runs at the end of the measurement.
LINGER = 5.0


async def watch(contender: Contender, sizes: Sizes) -> Sample:
    """CPU while nothing but the watching goes on; of all processes that it takes."""
    gate = contender.gate()
    seconds = sizes.watch_seconds
    reports = int((seconds + SETTLE) / REPORT_EVERY) + 1
    plan = {"lines": reports, "per_second": 1 / REPORT_EVERY, "what": "percent", "linger": LINGER}
    operation = await contender.driver.call("start", plan={**plan, "gate": str(gate)})
    pages = _polling if contender.key in POLLED else _watching
    try:
        gate.touch()
        spent = await pages(contender, operation, seconds)
        result = await contender.outcome(operation, within=RUN_WITHIN)
    finally:
        gate.unlink(missing_ok=True)
    return {**spent, "call_us": result["call_us"]}


async def _watching(contender: Contender, operation: str, seconds: float) -> Sample:
    tokens = await contender.driver.call("tokens", ids=[operation] * PAGES)
    watchers: list[Watcher] = [contender.watcher(token) for token in tokens]
    try:
        await open_all(watchers)
        spent = await _spent(contender, seconds)
        return {**spent, "lost": sum(not watcher.is_open for watcher in watchers) / PAGES}
    finally:
        await close_all(watchers)


async def _polling(contender: Contender, operation: str, seconds: float) -> Sample:
    pollers = [Poller(contender.port, f"/progress/{operation}/") for _ in range(PAGES)]
    tasks = [
        # Spread over the half second, as people open pages.
        asyncio.create_task(poller.poll_for_ever(POLL_EVERY * number / PAGES))
        for number, poller in enumerate(pollers)
    ]
    try:
        spent = await _spent(contender, seconds)
        for task in tasks:
            if task.done():
                task.result()
        polls = sum(poller.polls for poller in pollers)
        return {**spent, "polls_per_second": polls / (seconds + SETTLE)}
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _spent(contender: Contender, seconds: float) -> Sample:
    await asyncio.sleep(SETTLE)
    web, everything = contender.web.cpu_seconds(), contender.cpu_seconds()
    await asyncio.sleep(seconds)
    return {
        "web_cpu_ms": (contender.web.cpu_seconds() - web) / seconds * 1e3,
        "all_cpu_ms": (contender.cpu_seconds() - everything) / seconds * 1e3,
    }


WATCH = Scenario(name="slow-watch", contenders=("ours", *POLLED), measure=watch)

ROWS = [
    Row(
        name="100 pages watching a slow operation, CPU of the server",
        unit="ms/s",
        scenario=WATCH,
        value="web_cpu_ms",
        target=Gain(times=50),
        # Beside the web server that the site runs on; gunicorn is shown in the next rows.
        peers=("polling",),
    ),
    Row(
        name="the same, polled behind gunicorn",
        unit="ms/s",
        scenario=WATCH,
        value="web_cpu_ms",
        target=Stated(),
        peers=("polling_wsgi",),
    ),
    Row(
        name="the same with worker, Redis and database",
        unit="ms/s",
        scenario=WATCH,
        value="all_cpu_ms",
        target=Stated(),
        peers=POLLED,
    ),
    Row(
        name="a report (p.percent against set_progress), per call",
        unit="µs",
        scenario=WATCH,
        value="call_us",
        target=Stated(),
        peers=POLLED,
        essential=False,
    ),
]
