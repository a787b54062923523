"""Whether what the record says of an operation is true: its state, its logs, its effects."""

from collections import Counter

from liveops.models import LiveOperation, State
from liveops.record import Log
from tests.faults.figures import Figures
from tests.faults.ledger import count_numbers
from tests.kinds.effects import Deeds, Effect, Ledger
from tests.kinds.models import Chatter, Failing


def examine(figures: Figures, operation_id: str) -> str:
    """Counts what is lost and double, asserts what is not true; gives the state."""
    row = LiveOperation.objects.get(pk=operation_id).as_kind()
    expect_true_state(row)
    claims = Counter(
        row.events.filter(from_state=State.QUEUED, to_state=State.RUNNING).values_list(
            "attempt", flat=True
        )
    )
    figures.twice += sum(times - 1 for times in claims.values())
    for attempt in range(1, row.attempt + 1):
        examine_log(figures, row, attempt)
    match row:
        case Ledger():
            examine_ledger(figures, row)
        case Deeds():
            examine_deeds(figures, row)
    return row.state


def expect_true_state(row: LiveOperation) -> None:
    last = row.events.last()
    assert last is not None
    assert last.to_state == row.state
    match row.state:
        case State.SUCCEEDED:
            assert not isinstance(row, Failing)
            assert row.result_context
        case State.FAILED:
            assert isinstance(row, Failing), f"{row}: {row.error} {row.traceback}"
            assert row.error
        case State.CANCELLED:
            asked = row.events.filter(attempt=row.attempt, user=row.owner, why__contains="cancel")
            assert asked.exists(), f"{row} was cancelled, but nobody asked"
        case State.LOST:
            assert last.from_state == State.RUNNING
            assert not last.user_id


def examine_log(figures: Figures, row: LiveOperation, attempt: int) -> None:
    """Complete up to where it ends, and in order; whole, where the attempt succeeded."""
    stored = list(Log(row, attempt))
    assert [line.number for line in stored] == list(range(1, len(stored) + 1))
    numbers = [
        int(line.text.removeprefix("line ")) for line in stored if line.text.startswith("line ")
    ]
    assert numbers == sorted(numbers)
    last = numbers[-1] if numbers else 0
    if attempt == row.attempt and row.state == State.SUCCEEDED:
        last = lines_of(row)
    count_numbers(figures, numbers, last)


def lines_of(row: LiveOperation) -> int:
    """How many "line n" a whole attempt logs."""
    match row:
        case Ledger():
            return Effect.objects.filter(operation_id=row.pk, attempt=row.attempt).count()
        case Deeds():
            return row.steps
        case Chatter():
            return row.lines
    return 0


def examine_deeds(figures: Figures, row: Deeds) -> None:
    """Each step at most once in each attempt, and what was logged was done."""
    for attempt in range(1, row.attempt + 1):
        effects = Effect.objects.filter(operation_id=row.pk, attempt=attempt)
        steps = list(effects.values_list("step", flat=True))
        done = attempt == row.attempt and row.state == State.SUCCEEDED
        count_numbers(figures, steps, row.steps if done else max(steps, default=0))
        assert len(steps) >= sum(1 for line in Log(row, attempt) if line.text.startswith("line "))


def examine_ledger(figures: Figures, row: Ledger) -> None:
    """Each step once in all attempts together, as far as the cursor says."""
    steps = Effect.objects.filter(operation_id=row.pk).values_list("step", flat=True)
    count_numbers(figures, steps, row.steps if row.state == State.SUCCEEDED else row.cursor or 0)
