"""What browser tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.browser.scripted import ScriptedServer, scripted_server

# Other work may share the machine; a test that passes does not wait.
expect.set_options(timeout=15_000)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser found wrong: exceptions, and errors in the console, CSP's among them.

    Not that it could not reach the server: tests take the network away.
    """
    found: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "net::ERR_" not in message.text:
            found.append(f"{message.type}: {message.text}")

    page.on("console", console)
    page.on("pageerror", lambda error: found.append(f"exception: {error}"))
    return found


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}}
