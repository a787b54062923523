"""Suites of a folder of their own, which an ordinary run leaves out and says so."""

from pathlib import Path

import pytest


class Suite:
    """The tests below `folder`, and those that are marked with `marker`.

    `-m marker`, or a path to the folder, runs them; `make command` does so.
    """

    marker: str
    folder: str
    # What one of its tests is called.
    noun: str
    command: str

    def __init__(self) -> None:
        self.left_out = 0

    def is_asked_for(self, config: pytest.Config) -> bool:
        """The whole suite is asked for, not a file of it."""
        return self.marker in config.option.markexpr

    def wants(self, config: pytest.Config) -> bool:
        return self.is_asked_for(config) or any(
            self.folder in Path(arg).as_posix() for arg in config.args
        )

    def mark(self, items: list[pytest.Item]) -> None:
        for item in items:
            if self.folder in item.nodeid:
                item.add_marker(self.marker)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        self.mark(items)
        if self.wants(config):
            return
        mine = [item for item in items if item.get_closest_marker(self.marker)]
        self.left_out = len(mine)
        items[:] = [item for item in items if item not in mine]
        config.hook.pytest_deselected(items=mine)

    def say_what_was_left_out(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.left_out:
            terminalreporter.line(
                f"{self.left_out} {self.noun} tests left out; `make {self.command}` runs them."
            )
