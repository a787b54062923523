"""Which promises of `docs/security.md` a run has proved, and the line of figures at its end.

A plugin: a promise is proved when every test that its row names ran and passed, a route when every
test that is marked `@pytest.mark.route(its name)` did. With `-m security` whatever the page names
outside of this folder is run as well, and a promise or route without proof fails the run.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.security.page import FOLDER, page_rows
from tests.suites import Suite


@dataclass
class Figures:
    """`inputs` counts what was tried of an endless number: frames, tokens, calls, texts."""

    inputs: int = 0
    notes: list[str] = field(default_factory=list)
    # What was measured → seconds; of all tests together the summary shows the longest.
    seconds: dict[str, float] = field(default_factory=dict)

    def took(self, what: str, seconds: float) -> None:
        self.seconds[what] = max(seconds, self.seconds.get(what, 0.0))

    def note(self, text: str) -> None:
        self.notes.append(text)


def without_parameters(nodeid: str) -> str:
    return nodeid.partition("[")[0]


class Promises(Suite):
    marker, folder, noun, command = "security", FOLDER, "security", "test-security"

    def __init__(self) -> None:
        super().__init__()
        self.rows = page_rows()
        self.is_whole = False
        # Test → the ids of its cases; route → the ids of its cases.
        self.planned: dict[str, set[str]] = defaultdict(set)
        self.routes: dict[str, set[str]] = defaultdict(set)
        self.passed: set[str] = set()
        self.failed: set[str] = set()
        self.skipped: set[str] = set()
        self.figures: dict[str, Figures] = {}

    # What runs

    def named_tests(self) -> set[str]:
        return {test for row in self.rows for test in row.tests}

    def mark(self, items: list[pytest.Item]) -> None:
        super().mark(items)
        if self.is_whole:
            named = self.named_tests()
            for item in items:
                if without_parameters(item.nodeid) in named:
                    item.add_marker(self.marker)

    def pytest_configure(self, config: pytest.Config) -> None:
        self.is_whole = self.is_asked_for(config) and not config.option.collectonly
        if self.is_whole:
            elsewhere = {test.partition("::")[0] for test in self.named_tests()}
            root = config.rootpath
            there = {path for path in elsewhere if (root / path).is_file()}
            config.args += sorted(path for path in there if not path.startswith(FOLDER))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.planned[without_parameters(item.nodeid)].add(item.nodeid)
            for mark in item.iter_markers("route"):
                self.routes[mark.args[0]].add(item.nodeid)

    # What came of it

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.skipped:
            self.skipped.add(report.nodeid)
        elif report.when == "call":
            self.passed.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        figures = getattr(item, "funcargs", {}).get("figures")
        if isinstance(figures, Figures):
            self.figures[item.nodeid] = figures
        yield

    def are_good(self, cases: Iterable[str]) -> bool:
        cases = set(cases)
        return bool(cases) and cases <= self.passed - self.failed - self.skipped

    def unproved(self) -> list[str]:
        """What the run owes, in words."""
        owed = []
        for row in self.rows:
            missing = [test for test in row.tests if not self.are_good(self.planned[test])]
            if missing or not row.tests:
                owed.append(f"promise not proved: {row} ({', '.join(missing) or 'names no test'})")
        owed += [
            f"route not proved: {route}"
            for route, cases in self.routes.items()
            if not self.are_good(cases)
        ]
        return owed + [f"left out: {case}" for case in sorted(self.skipped)]

    def summary(self) -> str:
        owed = self.unproved()
        rows = len(self.rows) - sum(line.startswith("promise") for line in owed)
        routes = len(self.routes) - sum(line.startswith("route") for line in owed)
        inputs = sum(figures.inputs for figures in self.figures.values())
        return (
            f"promises {rows} / {len(self.rows)}, routes {routes} / {len(self.routes)}, "
            f"inputs {inputs}, failures {len(self.failed)}"
        )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.is_whole and self.unproved() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self.say_what_was_left_out(terminalreporter)
        if not self.figures and not self.is_whole:
            return
        terminalreporter.section("security")
        for case, figures in self.figures.items():
            tried = [f"{figures.inputs} inputs"] if figures.inputs else []
            if tried or figures.notes:
                name = case.rpartition("::")[2]
                terminalreporter.line(f"{name}: {'; '.join([*tried, *figures.notes])}")
        for line in self.longest():
            terminalreporter.line(line)
        if self.is_whole:
            for line in self.unproved():
                terminalreporter.line(line, red=True)

    def longest(self) -> list[str]:
        """The longest of each thing that was measured."""
        measured = defaultdict(list)
        for figures in self.figures.values():
            for what, seconds in figures.seconds.items():
                measured[what].append(seconds)
        return [
            f"{what}: at most {max(times):.2f} s ({len(times)} times)"
            for what, times in measured.items()
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The last line of all."""
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None and (self.figures or self.is_whole):
            reporter.write_line(self.summary())


@pytest.fixture
def security_figures() -> Iterator[Figures]:
    found = Figures()
    yield found
    print(*found.notes, sep="; ", end=" ")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "security: attacks; `make test-security`")
    config.addinivalue_line("markers", "route(name): the address that this proves")
    config.addinivalue_line("markers", "last: looks at what the whole run has left behind")
    config.pluginmanager.register(Promises(), "security-promises")
