"""Somebody opens the page of a long log: until it is there in full, and right."""

import re
import time
from statistics import median

from benchmarks.contenders import Contender
from benchmarks.failures import BenchmarkError
from benchmarks.runs import RUN_WITHIN
from benchmarks.table import Row, Sample, Scenario, Share, Sizes

TOKEN = re.compile(r'data-liveop-token="([^"]+)"')
LINE = re.compile(r'data-line="(\d+)"')
TAIL = 200
# The site shows the last page then.
BEYOND_THE_LAST = 10**9


async def late_joiner(contender: Contender, sizes: Sizes) -> Sample:
    """Opens the page of a long log and that of a short one in turn."""
    logs = {"long": sizes.long_log, "short": sizes.short_log}
    operations = {name: await long_log(contender, lines) for name, lines in logs.items()}
    spent: dict[str, list[float]] = {}
    for _ in range(sizes.times):
        for name, lines in logs.items():
            began = time.perf_counter()
            await _open_live_page(contender, operations[name], lines)
            spent.setdefault(f"{name}_page_ms", []).append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            _open_log_page(contender, operations[name], lines)
            spent.setdefault(f"{name}_log_ms", []).append((time.perf_counter() - began) * 1e3)
    return {name: median(values) for name, values in spent.items()}


async def long_log(contender: Contender, lines: int) -> str:
    """A finished operation with so long a log."""
    gate = contender.gate()
    gate.touch()
    operation: str = await contender.driver.call("start", plan={"lines": lines, "gate": str(gate)})
    await contender.outcome(operation, within=RUN_WITHIN)
    gate.unlink()
    return operation


async def _open_live_page(contender: Contender, operation: str, lines: int) -> None:
    page = contender.get(f"/operations/{operation}/")
    token = TOKEN.search(page)
    shown = [int(number) for number in LINE.findall(page)]
    if token is None or shown != list(range(lines - min(lines, TAIL) + 1, lines + 1)):
        raise BenchmarkError(f"the page of {operation} shows {len(shown)} lines up to {shown[-1:]}")
    watcher = contender.watcher(token[1])
    try:
        await watcher.open()
    finally:
        await watcher.close()


def _open_log_page(contender: Contender, operation: str, lines: int) -> None:
    page = contender.get(f"/operations/{operation}/log/?page={BEYOND_THE_LAST}")
    if f"line {lines} " not in page:
        raise BenchmarkError(f"the last page of the log of {operation} has no line {lines}")


LATE = Scenario(name="late-joiner", contenders=("ours",), measure=late_joiner, only_once=True)


def _row(name: str, value: str) -> Row:
    return Row(
        name=f"late joiner, 1,000,000 lines against 1,000: {name}",
        unit="ms",
        scenario=LATE,
        value=f"long_{value}",
        base=f"short_{value}",
        target=Share(times=1.5),
        essential=False,
    )


ROWS = [_row("the live page", "page_ms"), _row("the last page of the full log", "log_ms")]
