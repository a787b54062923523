"""What the fault tests do with a real page in a real browser, and how they read it."""

import re
from typing import Any

import psutil
from playwright.sync_api import Page, expect

from liveops.models import State
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import count_numbers

WITHIN_MS = 60_000


def sign_in(page: Page, member: SiteClient) -> None:
    """With the member's session."""
    page.context.add_cookies(
        [
            {"name": cookie.name, "value": cookie.value or "", "url": str(member.http.base_url)}
            for cookie in member.http.cookies.jar
        ]
    )


def open_live_page(page: Page, member: SiteClient, operation_id: str) -> None:
    page.goto(f"{str(member.http.base_url).rstrip('/')}/operations/{operation_id}/")
    expect(page.locator("live-operation")).to_have_attribute("freshness", "live")
    page.evaluate("window.samePage = true")


def state_is(page: Page, state: State) -> None:
    expect(page.locator("live-operation")).to_have_attribute("state", state, timeout=WITHIN_MS)


def freshness_is(page: Page, *names: str) -> None:
    expect(page.locator("live-operation")).to_have_attribute(
        "freshness", re.compile("^(" + "|".join(names) + ")$"), timeout=WITHIN_MS
    )


def is_same_page(page: Page) -> bool:
    """Whether it was not loaded anew since it was opened."""
    return page.evaluate("window.samePage === true")


def shown_numbers(page: Page) -> list[int]:
    texts = page.locator('[data-liveop-part="log"] li span').all_inner_texts()
    return [int(text.removeprefix("line ")) for text in texts]


def count_on_page(figures: Figures, page: Page, lines: int) -> None:
    expect(page.get_by_text(f"line {lines}", exact=True)).to_be_attached(timeout=WITHIN_MS)
    numbers = shown_numbers(page)
    count_numbers(figures, numbers, lines)
    assert numbers == sorted(numbers)


def count_shown_end(figures: Figures, page: Page, lines: int) -> None:
    """Like `count_on_page`, for a page that shows the end of the log only."""
    expect(page.get_by_text(f"line {lines}", exact=True)).to_be_attached(timeout=WITHIN_MS)
    numbers = shown_numbers(page)
    first = numbers[0]
    count_numbers(figures, [number - first + 1 for number in numbers], lines - first + 1)
    assert numbers == sorted(numbers)


def watch_requests(page: Page) -> dict[str, int]:
    """Counts tokens and websockets from now on."""
    counts = {"tokens": 0, "sockets": 0}

    def count_token(request: Any) -> None:
        counts["tokens"] += request.url.endswith("/token/")

    def count_socket(_socket: Any) -> None:
        counts["sockets"] += 1

    page.on("request", count_token)
    page.on("websocket", count_socket)
    return counts


def renderers_of(page: Page) -> list[psutil.Process]:
    """The processes that run the code of this browser's pages."""
    assert page.context.browser is not None
    session = page.context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return [psutil.Process(each["id"]) for each in processes if each["type"] == "renderer"]
