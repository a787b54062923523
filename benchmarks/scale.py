"""`python -m benchmarks.scale`: what an operation and a watcher cost, and whether that adds up.

From a few small crowds it takes what a report costs each part of the site, and what it costs to
bring one to one page. With these it says what a larger crowd will need, has that crowd come, and
compares. `scale.md` goes on from there.
"""

import asyncio
import shutil
import sys
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.__main__ import environments, say
from benchmarks.contenders import SiteOnPostgres
from benchmarks.environments import generate_site
from benchmarks.failures import BenchmarkError
from benchmarks.places import RUN
from benchmarks.postgres import Postgres
from benchmarks.programs import redis_server
from benchmarks.watchers import Watcher, close_all, open_all

PARTS = ("web", "worker", "redis", "postgres")
SECONDS = 20.0
# Before the reports begin, so that connecting is over.
SETTLE = 2.0
SHOWN_WITHIN = 30.0
# A prediction further off than this says that the model lacks something.
OFF_BY = 0.35


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """`operations` run at a time; each reports `per_second` lines to `watchers` pages."""

    operations: int
    watchers: int
    per_second: float

    @property
    def reports(self) -> float:
        """A second, from all operations."""
        return self.operations * self.per_second

    @property
    def deliveries(self) -> float:
        """A second, to all pages."""
        return self.reports * self.watchers

    def __str__(self) -> str:
        return (
            f"{self.operations} operations × {self.watchers} pages, "
            f"{self.per_second:g} reports/s each"
        )


FEW_PAGES = Crowd(operations=16, watchers=1, per_second=2)
MANY_PAGES = Crowd(operations=2, watchers=100, per_second=2)
LARGEST = Crowd(operations=20, watchers=30, per_second=1)


@dataclass(frozen=True, kw_only=True)
class Load:
    """CPU of each part, in milliseconds a second; of the pages, how late they were."""

    cpu: dict[str, float]
    p50_ms: float
    p99_ms: float
    lost: int


class BusySite(SiteOnPostgres):
    worker_processes = LARGEST.operations


async def measure(site: BusySite, crowd: Crowd) -> Load:
    lines = int(SECONDS * crowd.per_second)
    gate = site.gate()
    plan = {"lines": lines, "per_second": crowd.per_second, "gate": str(gate)}
    operations = [await site.driver.call("start", plan=plan) for _ in range(crowd.operations)]
    tokens = await site.driver.call("tokens", ids=operations * crowd.watchers)
    watchers = [site.watcher(token) for token in tokens]
    try:
        await open_all(watchers)
        await asyncio.sleep(SETTLE)
        gate.touch()
        began, before = time.monotonic(), cpu_of(site)
        await until_all_is_shown(watchers, lines)
        seconds, after = time.monotonic() - began, cpu_of(site)
    finally:
        await close_all(watchers)
        gate.unlink(missing_ok=True)
    for operation in operations:
        await site.outcome(operation, within=SHOWN_WITHIN)
    latencies = sorted(each for watcher in watchers for each in watcher.latencies)
    return Load(
        cpu={part: (after[part] - before[part]) / seconds * 1e3 for part in PARTS},
        p50_ms=median(latencies) * 1e3,
        p99_ms=latencies[int(0.99 * len(latencies))] * 1e3,
        lost=sum(lines - watcher.accounted_for for watcher in watchers),
    )


def cpu_of(site: BusySite) -> dict[str, float]:
    return {
        "web": site.web.cpu_seconds(),
        "worker": site.worker.cpu_seconds(),
        "redis": site.redis.cpu_seconds(),
        "postgres": site.postgres.cpu_seconds(),
    }


async def until_all_is_shown(watchers: list[Watcher], lines: int) -> None:
    end = time.monotonic() + SECONDS + SHOWN_WITHIN
    while not all(watcher.finished and watcher.last == lines for watcher in watchers):
        if time.monotonic() > end:
            raise BenchmarkError("not every page was shown every line")
        await asyncio.sleep(0.05)


def costs(few: Load, many: Load) -> dict[str, tuple[float, float]]:
    """Milliseconds of CPU of each part for a report, and for bringing it to one page.

    Two crowds, two unknowns: CPU = report × reports + delivery × deliveries.
    """
    found = {}
    for part in PARTS:
        slope = FEW_PAGES.deliveries / FEW_PAGES.reports, MANY_PAGES.deliveries / MANY_PAGES.reports
        each = few.cpu[part] / FEW_PAGES.reports, many.cpu[part] / MANY_PAGES.reports
        delivery = (each[1] - each[0]) / (slope[1] - slope[0])
        # Where pages cost a part nothing, the noise of a measurement may say less than that.
        delivery = max(0.0, delivery)
        found[part] = max(0.0, each[0] - delivery * slope[0]), delivery
    return found


def predict(crowd: Crowd, each: dict[str, tuple[float, float]]) -> dict[str, float]:
    return {
        part: report * crowd.reports + delivery * crowd.deliveries
        for part, (report, delivery) in each.items()
    }


async def simulate() -> int:
    pythons = await environments()
    await generate_site()
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir()
    postgres = Postgres()
    site: BusySite | None = None
    try:
        postgres.start()
        site = BusySite(pythons["site"], redis_server(pythons["site"]), postgres)
        await site.start()
        loads = {}
        for crowd in (FEW_PAGES, MANY_PAGES, LARGEST):
            loads[crowd] = load = await measure(site, crowd)
            say(f"{crowd}: lost {load.lost}, p50 {load.p50_ms:.1f} ms, p99 {load.p99_ms:.1f} ms")
            say("    " + ", ".join(f"{part} {load.cpu[part]:.0f} ms/s" for part in PARTS))
    finally:
        if site is not None:
            site.stop()
        postgres.stop()
    each = costs(loads[FEW_PAGES], loads[MANY_PAGES])
    say("CPU milliseconds for a report, and for each page that it is brought to:")
    for part, (report, delivery) in each.items():
        say(f"    {part}: {report:.3f}, {delivery:.4f}")
    predicted, found = predict(LARGEST, each), loads[LARGEST].cpu
    say(f"{LARGEST}, predicted and found, in ms/s:")
    for part in PARTS:
        say(f"    {part}: {predicted[part]:.0f}, {found[part]:.0f}")
    off = abs(sum(predicted.values()) / sum(found.values()) - 1)
    lost = sum(load.lost for load in loads.values())
    say(f"together {off:.0%} off (at most {OFF_BY:.0%}), lost {lost}")
    return 0 if off <= OFF_BY and not lost else 1


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(simulate()))
    except BenchmarkError as error:
        say(str(error))
        sys.exit(1)
