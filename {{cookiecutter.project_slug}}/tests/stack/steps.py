"""The steps of the stack test, told one by one at the end of a run.

A plugin: each test in this folder is a step, and says with `step` what it lost and what it saw.
Without `-m stack`, or a path to this folder, a run leaves them out and says so.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

from tests.suites import Suite


@dataclass
class Step:
    """`lost` counts log lines, operations and files; it must be 0."""

    lost: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Tried:
    name: str
    step: Step
    outcome: str
    seconds: float


class StackTable(Suite):
    """Collects the steps in their order, and prints them at the end."""

    marker, folder, noun, command = "stack", "tests/stack/", "stack", "test-stack"

    def __init__(self) -> None:
        super().__init__()
        self.tried: dict[str, Tried] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        yield
        step = step_of(item)
        if step.lost:
            raise AssertionError(f"Lost {step.lost}: {'; '.join(step.notes)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if not item.get_closest_marker(self.marker) or (report.passed and report.when != "call"):
            return report
        outcome = "left out" if report.skipped else "ok" if report.passed else "FAILED"
        name = item.name.removeprefix("test_").replace("_", " ")
        self.tried[item.nodeid] = Tried(name, step_of(item), outcome, report.duration)
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self.say_what_was_left_out(terminalreporter)
        if not self.tried:
            return
        terminalreporter.section("stack")
        for each in self.tried.values():
            notes = f": {'; '.join(each.step.notes)}" if each.step.notes else ""
            line = f"{each.outcome:<8} {each.seconds:6.1f} s  {each.name}{notes}"
            terminalreporter.line(line)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """After everything that pytest itself says: the last line."""
        if self.tried:
            config.get_terminal_writer().line(self.summary())

    def summary(self) -> str:
        steps = list(self.tried.values())
        good = sum(each.outcome == "ok" for each in steps)
        lost = sum(each.step.lost for each in steps)
        return f"stack {good} / {len(steps)} steps, lost {lost}"


def step_of(item: pytest.Item) -> Step:
    step = getattr(item, "funcargs", {}).get("step")
    return step if isinstance(step, Step) else Step()


@pytest.fixture
def step() -> Step:
    """What a step has to fill in."""
    return Step()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stack: the site in containers; `make test-stack`")
    config.pluginmanager.register(StackTable(), "stack-table")
