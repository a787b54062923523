"""Marks each test with its level, by the fixtures that it asks for; runs the quick ones first."""

from collections.abc import Generator

import pytest

LEVELS = ["unit", "integration", "browser"]
# In this order each stack is started once: browser tests go on with the last one.
STACKS = ["", "postgres", "sentinels", "sqlite"]


def level_of(item: pytest.Item) -> str:
    marked = [level for level in LEVELS if item.get_closest_marker(level)]
    if marked:
        return marked[0]
    fixtures = getattr(item, "fixturenames", [])
    if "playwright" in fixtures:
        return "browser"
    return "integration" if "stack" in fixtures else "unit"


def stack_of(item: pytest.Item) -> str:
    """The database of the stack that the test runs on, or nothing."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("running_stack", "")) if callspec else ""


def order_of(item: pytest.Item) -> tuple[bool, int, int]:
    is_last = item.get_closest_marker("last") is not None
    return is_last, LEVELS.index(level_of(item)), STACKS.index(stack_of(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    for item in items:
        item.add_marker(level_of(item))
    yield  # here `-m` selects
    # Playwright leaves an event loop running, in which no asyncio test could start.
    items.sort(key=order_of)
