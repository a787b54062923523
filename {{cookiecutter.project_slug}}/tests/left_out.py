"""Says loudly, at the end of a run, what was left out and why.

A test leaves itself out with `pytest.skip`. With `REQUIRE_ALL=1` that is a failure.
"""

import os
from collections import Counter
from collections.abc import Generator

import pytest

REQUIRE_ALL = os.environ.get("REQUIRE_ALL", "") not in {"", "0"}


def reason_of(report: pytest.TestReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"Left out, although REQUIRE_ALL=1: {reason_of(report)}"
        report.outcome = "failed"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section("LEFT OUT, so not proved by this run", sep="!", red=True, bold=True)
    for reason, number in Counter(reason_of(report) for report in skipped).items():
        terminalreporter.line(f"{number} x {reason}")
    terminalreporter.line("REQUIRE_ALL=1 makes these failures.")
