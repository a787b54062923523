"""A browser in which nothing that a text asks for may happen, and which notices when it does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.db import connection
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from tests.security.stack import SecurityStack

Answer = TypeVar("Answer")

# Says what the page's policy refused: a text that is only shown asks for nothing.
LISTEN = """
document.addEventListener("securitypolicyviolation", (event) => {
  violated(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""
# Markup within what is shown, other than our own marks, colours and line breaks.
STRAYS = """
(places) => {
  const inside = ":not(span.unseen, span[class^=ansi-], br)";
  const found = [...document.querySelectorAll(places)];
  const strays = found.flatMap((place) => [...place.querySelectorAll(inside)]);
  return strays.map((stray) => stray.outerHTML);
}
"""


class Canary:
    """Watches all pages of `context`; `harm` lists what a payload achieved, `refused` what the
    browser had to prevent.
    """

    def __init__(self, context: BrowserContext, stack: SecurityStack) -> None:
        self.stack = stack
        self.host = urlsplit(stack.base_url).netloc
        self.harm: list[str] = []
        self.refused: list[str] = []
        self._reported = self._reports()
        context.expose_function("canary", lambda *args: self.harm.append(f"ran: {args}"))
        context.expose_function("violated", self._on_violation)
        context.add_init_script(LISTEN)
        context.on("request", self._on_request)
        context.on("page", self._watch)
        for page in context.pages:
            self._watch(page)

    def _watch(self, page: Page) -> None:
        page.on("dialog", self._on_dialog)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.harm.append(f"exception: {error}"))
        page.on("popup", lambda popup: self.harm.append(f"popup: {popup.url}"))
        page.on("download", lambda download: self.harm.append(f"download: {download.url}"))

    def _on_violation(self, text: str) -> None:
        self.refused.append(text)

    def _on_dialog(self, dialog: Any) -> None:
        self.harm.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.netloc != self.host:
            self.harm.append(f"asked: {request.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # An answer of 403 that the test asked for is no fault of the page.
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            self.refused.append(f"{message.type}: {message.text}")

    def _reports(self) -> int:
        return self.stack.logs()["web"].count("csp violation")

    def assert_silent(self) -> None:
        """Nothing ran, and nothing even had to be refused."""
        assert self.harm == [], self.harm
        assert self.refused == [], self.refused
        assert self._reports() == self._reported

    def assert_nothing_ran(self) -> None:
        """The policy may have had to do with it."""
        assert [harm for harm in self.harm if harm.startswith(("ran", "dialog"))] == []

    def assert_only_text(self, page: Page, places: str) -> None:
        assert page.evaluate(STRAYS, places) == []


def aside(act: Callable[[], Answer]) -> Answer:
    """In a thread without Playwright's event loop: saving a user announces it to the sockets."""

    def and_close() -> Answer:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(and_close).result()
