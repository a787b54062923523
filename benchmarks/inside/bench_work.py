"""The work that every contender's operations do, so that only what carries their reports differs.

A plan is a dictionary:

- `lines`: how many log lines (or, with `what` "percent", percentages) to report
- `per_second`: how many of them a second; 0: as fast as they are taken
- `busy`: compute in Python between reports instead of sleeping
- `what`: "log" or "percent"
- `gate`: a path; the work begins once that file exists
- `linger`: seconds to go on running without a report at the end
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

GATE_WITHIN = 120.0
LOOK_EVERY = 0.002


def perform(
    plan: dict[str, Any], log: Callable[[str], Any], percent: Callable[[float], Any]
) -> Any:
    """Carry out the plan; return what the calls cost.

    `began_ns`, `ended_ns`: the monotonic clock, which all processes of a machine share, before the
    first and after the last report. `call_us`: the mean of a report call in microseconds. In a
    burst that includes making the line, which takes well under a microsecond.
    """
    _wait_for_gate(Path(plan["gate"]))
    lines, per_second = plan["lines"], plan.get("per_second", 0)
    began = time.monotonic_ns()
    if plan.get("what") == "percent":
        spent = _paced(lines, per_second, plan, lambda n: percent(100 * n / lines))
    elif per_second:
        spent = _paced(lines, per_second, plan, lambda n: log(line(n)))
    else:
        for number in range(1, lines + 1):
            log(line(number))
        spent = time.monotonic_ns() - began
    ended = time.monotonic_ns()
    time.sleep(plan.get("linger", 0))
    return {"began_ns": began, "ended_ns": ended, "call_us": spent / lines / 1e3}


def line(number: int) -> str:
    """A log line that says which one it is and when it was made."""
    return f"line {number} {time.monotonic_ns()}"


def _paced(
    lines: int, per_second: float, plan: dict[str, Any], report: Callable[[int], Any]
) -> int:
    """Report at an even pace; return the nanoseconds that the calls took."""
    pause = _compute_until if plan.get("busy") else _sleep_until
    spent = 0
    for number, due in enumerate(_beats(lines, per_second), start=1):
        pause(due)
        called = time.monotonic_ns()
        report(number)
        spent += time.monotonic_ns() - called
    return spent


def _beats(lines: int, per_second: float) -> Iterator[float]:
    start = time.monotonic()
    return (start + n / per_second for n in range(lines))


def _sleep_until(due: float) -> None:
    time.sleep(max(0.0, due - time.monotonic()))


def _compute_until(due: float) -> None:
    """Holds the interpreter lock as a parser or a model in pure Python does."""
    number = 1
    while time.monotonic() < due:
        for _round in range(500):
            number = (number * 1_103_515_245 + 12_345) % 2_147_483_648


def _wait_for_gate(gate: Path) -> None:
    end = time.monotonic() + GATE_WITHIN
    while not gate.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{gate} was not opened within {GATE_WITHIN:g} s")
        time.sleep(LOOK_EVERY)
