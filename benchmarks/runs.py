"""One run of an operation that is watched: what it took, and whether everything arrived."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.failures import BenchmarkError
from benchmarks.watchers import Watcher, close_all, open_all

RUN_WITHIN = 600.0
# Without any message for so long after the end, what is missing does not come any more.
QUIET = 5.0
ASK_EVERY = 0.5
SETTLE = 0.3


@dataclass(frozen=True, kw_only=True)
class Run:
    """`result`: what the operation measured of itself. CPU figures are in seconds."""

    lines: int
    watchers: list[Watcher]
    result: dict[str, Any]
    web_cpu: float
    all_cpu: float
    client_cpu: float
    # A fraction of what should have been shown, or recorded.
    lost: float

    @property
    def seconds(self) -> float:
        """From the first report until the slowest watcher had its last line."""
        return (max(watcher.last_line_at for watcher in self.watchers) - self.began_ns) / 1e9

    @property
    def began_ns(self) -> int:
        return int(self.result["began_ns"])

    @property
    def lines_per_second(self) -> float:
        """That reached a watcher, on the average of them."""
        arrived = sum(watcher.accounted_for for watcher in self.watchers) / len(self.watchers)
        return arrived / self.seconds

    def latency(self, fraction: float) -> float:
        """The latency, in seconds, that this fraction of the lines shown did not exceed."""
        found = sorted(each for watcher in self.watchers for each in watcher.latencies)
        return found[min(len(found) - 1, int(fraction * len(found)))]


async def watched_run(contender: Contender, *, clients: int = 1, **plan: Any) -> Run:
    """Run the plan while `clients` watch. It begins when all of them are shown something."""
    gate = contender.gate()
    operation = await contender.driver.call("start", plan={**plan, "gate": str(gate)})
    tokens = await contender.driver.call("tokens", ids=[operation] * clients)
    watchers = [contender.watcher(token) for token in tokens]
    try:
        await open_all(watchers)
        await asyncio.sleep(SETTLE)
        web, everything, own = contender.web.cpu_seconds(), contender.cpu_seconds(), _own_cpu()
        gate.touch()
        await _until_all_is_shown(contender, operation, watchers, plan["lines"])
        web = contender.web.cpu_seconds() - web
        everything = contender.cpu_seconds() - everything
        own = _own_cpu() - own
        return Run(
            lines=plan["lines"],
            watchers=watchers,
            result=await contender.outcome(operation, within=RUN_WITHIN),
            web_cpu=web,
            all_cpu=everything,
            client_cpu=own,
            lost=await _lost(contender, operation, watchers, plan["lines"]),
        )
    finally:
        await close_all(watchers)
        gate.unlink(missing_ok=True)


async def _until_all_is_shown(
    contender: Contender, operation: str, watchers: list[Watcher], lines: int
) -> None:
    end = time.monotonic() + RUN_WITHIN
    asked_at = time.monotonic()
    while not all(watcher.finished and watcher.last == lines for watcher in watchers):
        await asyncio.sleep(0.01)
        now = time.monotonic()
        if now > end:
            raise BenchmarkError(f"{contender.title}: {lines} lines took over {RUN_WITHIN:g} s")
        if now - asked_at < ASK_EVERY:
            continue
        asked_at = now
        heard = max(watcher.last_message_at for watcher in watchers) / 1e9
        if now - heard > QUIET:
            found = await contender.driver.call("outcome", id=operation)
            if found["finished"]:
                return


async def _lost(contender: Contender, operation: str, watchers: list[Watcher], lines: int) -> float:
    """The worst of: what a watcher was not shown, lines out of order, lines not in the record."""
    missing = max(lines - watcher.accounted_for for watcher in watchers)
    disorder = max(watcher.disorder for watcher in watchers)
    unrecorded = 0
    if contender.records:
        found = await contender.driver.call("recorded", id=operation)
        unrecorded = lines - found["lines"] if found["in_order"] else lines
    return max(missing, disorder, unrecorded) / lines


def _own_cpu() -> float:
    return time.process_time()
