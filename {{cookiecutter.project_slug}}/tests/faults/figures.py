"""What each fault cost, reported by the tests themselves, and the table at the end of a run.

A plugin: a test names its row with `@pytest.mark.fault(4)` and fills in `figures`. Without
`-m faults`, or a path to this folder, a run leaves these tests out and says so, and others that
are marked `faults`.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.faults.matrix import FAULTS, RANDOM_RUN, TESTED
from tests.suites import Suite


@dataclass
class Figures:
    """`lost` and `twice` count log lines and effects, `stuck` operations; all must be 0."""

    lost: int = 0
    twice: int = 0
    stuck: int = 0
    # Seconds from the end of the fault, or from the fault where it has no end, until all is right.
    until_right: float | None = None
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def time_until_right(self) -> Iterator[None]:
        """Of several measurements the longest counts."""
        began = time.monotonic()
        yield
        self.until_right = max(self.until_right or 0.0, time.monotonic() - began)

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.twice or self.stuck)

    def __str__(self) -> str:
        took = "" if self.until_right is None else f", right after {self.until_right:.1f} s"
        counts = f"lost {self.lost}, twice {self.twice}, stuck {self.stuck}{took}"
        return "; ".join([counts, *self.notes])


@dataclass
class Tried:
    """One test of one row."""

    name: str
    figures: Figures
    outcome: str


def row_of(item: pytest.Item) -> int | None:
    """The row that the test proves; other rows than these belong to the security suite."""
    mark = item.get_closest_marker("fault")
    return mark.args[0] if mark and mark.args[0] in TESTED else None


def figures_of(item: pytest.Item) -> Figures:
    figures = getattr(item, "funcargs", {}).get("figures")
    return figures if isinstance(figures, Figures) else Figures()


class FaultTable(Suite):
    """Collects what the tests report and prints it at the end."""

    marker, folder, noun, command = "faults", "tests/faults", "fault", "test-faults"

    def __init__(self) -> None:
        super().__init__()
        self.tried: dict[int, dict[str, Tried]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Figures other than zero fail the test that reported them."""
        yield
        figures = figures_of(item)
        if not figures.is_clean:
            raise AssertionError(f"The promise was broken: {figures}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        row = row_of(item)
        if row is None or (report.passed and report.when != "call"):
            return report
        figures = figures_of(item)
        outcome = "left out" if report.skipped else "survived" if report.passed else "FAILED"
        # A test that passed may still fail while it cleans up.
        self.tried.setdefault(row, {})[item.nodeid] = Tried(item.name, figures, outcome)
        return report

    def tried_of(self, row: int) -> list[Tried]:
        return list(self.tried.get(row, {}).values())

    def outcome(self, row: int) -> str:
        """`survived` only when every test of the row ran and passed."""
        outcomes = {each.outcome for each in self.tried_of(row)}
        return next(
            (worst for worst in ("FAILED", "left out", "survived") if worst in outcomes), "not run"
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self.say_what_was_left_out(terminalreporter)
        if not self.tried:
            return
        terminalreporter.section("faults")
        for row, fault in TESTED.items():
            terminalreporter.line(f"{row or '':>2} {self.outcome(row):<9} {fault}")
            for each in self.tried_of(row):
                terminalreporter.line(f"             {each.name}: {each.figures}")
        terminalreporter.line(self.summary())

    def summary(self) -> str:
        outcomes = [self.outcome(row) for row in FAULTS]
        figures = [each.figures for row in TESTED for each in self.tried_of(row)]
        counts = {
            "faults tried": len(outcomes) - outcomes.count("not run") - outcomes.count("left out"),
            "survived": outcomes.count("survived"),
            "lines lost": sum(each.lost for each in figures),
            "doubles": sum(each.twice for each in figures),
            "stuck operations": sum(each.stuck for each in figures),
        }
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        missing = [str(row) for row in FAULTS if self.outcome(row) in {"not run", "left out"}]
        if missing:
            text += f" (not tried: {', '.join(missing)})"
        return f"{text}; random run: {self.outcome(RANDOM_RUN)}"


@pytest.fixture
def figures() -> Iterator[Figures]:
    """What the test has to fill in."""
    found = Figures()
    yield found
    print(found, end=" ")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults: faults that happen for real; `make test-faults`")
    config.addinivalue_line("markers", "fault(row): which row of the fault matrix this proves")
    config.pluginmanager.register(FaultTable(), "fault-table")
