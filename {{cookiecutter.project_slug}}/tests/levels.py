"""Marks each test with its level, by the fixtures that it asks for; runs the quick ones first."""

import pytest

LEVELS = ["unit", "integration", "browser"]


def level_of(item: pytest.Item) -> str:
    fixtures = getattr(item, "fixturenames", [])
    if "page" in fixtures or "browser" in fixtures:
        return "browser"
    return "integration" if "stack" in fixtures else "unit"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    levels = {}
    for item in items:
        marked = [level for level in LEVELS if item.get_closest_marker(level)]
        levels[item] = marked[0] if marked else level_of(item)
        if not marked:
            item.add_marker(levels[item])
    # Playwright leaves an event loop running, in which no asyncio test could start.
    items.sort(key=lambda item: LEVELS.index(levels[item]))
