"""Reads the record of an operation and counts what is missing or double."""

import time
from collections import Counter
from collections.abc import Iterable

from liveops.models import LiveOperation, State
from liveops.record import Log
from tests.faults.figures import Figures
from tests.kinds.effects import Effect
from tests.live_view import LiveView
from tests.processes import wait_until


def operation(operation_id: str) -> LiveOperation:
    return LiveOperation.objects.get(pk=operation_id)


def wait_for_state(operation_id: str, *states: State, within: float = 60) -> LiveOperation:
    wait_until(
        lambda: operation(operation_id).state in states,
        f"{operation_id} is {' or '.join(states)}",
        within,
    )
    return operation(operation_id)


def wait_for_attempt(operation_id: str, attempt: int, within: float = 60) -> None:
    """Waits until a worker runs this attempt, or has run it."""
    wait_until(
        lambda: operation(operation_id).events.filter(attempt=attempt, to_state=State.RUNNING),
        f"attempt {attempt} of {operation_id} has begun",
        within,
    )


def wait_for_line(operation_id: str, number: int, within: float = 60) -> None:
    wait_until(
        lambda: operation(operation_id).log_lines >= number, f"line {number} is stored", within
    )


def numbers_of(texts: Iterable[str]) -> list[int]:
    """The N of each "line N"; what the engine itself says in between has none."""
    return [int(text.removeprefix("line ")) for text in texts if text.startswith("line ")]


def count_numbers(figures: Figures, numbers: Iterable[int], last: int) -> None:
    """Counts what is missing of 1 to `last`, and what is there more than once."""
    found = Counter(numbers)
    figures.lost += sum(number not in found for number in range(1, last + 1))
    figures.twice += sum(times - 1 for times in found.values())


def count_stored_lines(
    figures: Figures, operation_id: str, last: int | None = None, attempt: int | None = None
) -> int:
    """Counts the gaps and doubles of the stored log of "line 1", "line 2", …, and asserts its
    order. `last`: as many lines must be there; by default as many as the row says.
    """
    row = operation(operation_id)
    texts = [line.text for line in Log(row, attempt or row.attempt)]
    numbers = numbers_of(texts)
    count_numbers(figures, numbers, max(numbers, default=0) if last is None else last)
    assert numbers == sorted(numbers), "the stored log is in order"
    if attempt in {None, row.attempt}:
        assert len(texts) == row.log_lines
    return len(numbers)


def count_shown_lines(figures: Figures, view: LiveView, last: int) -> None:
    """Counts what a page shows of `last` numbered lines, all of which it has to show."""
    assert view.problems == []
    numbers = numbers_of(line.text for line in view.lines)
    count_numbers(figures, numbers, last)
    assert numbers == sorted(numbers), "the page shows the log in order"


def claims(operation_id: str) -> int:
    """How often a worker began to run the operation."""
    return (
        operation(operation_id)
        .events.filter(from_state=State.QUEUED, to_state=State.RUNNING)
        .count()
    )


def count_stuck(figures: Figures, operation_ids: Iterable[str], within: float = 60) -> None:
    """Counts the operations that are still active after `within` so many seconds."""
    waiting = list(operation_ids)
    end = time.monotonic() + within
    while waiting and time.monotonic() < end:
        done = set(
            LiveOperation.objects.filter(pk__in=waiting)
            .exclude(state__in=[State.QUEUED, State.RUNNING])
            .values_list("pk", flat=True)
        )
        waiting = [each for each in waiting if each not in {str(pk) for pk in done}]
        time.sleep(0.1)
    figures.stuck += len(waiting)


def count_effects(
    figures: Figures, operation_id: str, steps: int, attempt: int | None = None
) -> None:
    """Counts the steps that were not done and those done again, in one attempt or in all."""
    effects = Effect.objects.filter(operation_id=operation_id)
    if attempt is not None:
        effects = effects.filter(attempt=attempt)
    count_numbers(figures, effects.values_list("step", flat=True), steps)
