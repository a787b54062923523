"""Pages in a real browser while Redis is away: they stay right, and say how fresh they are."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from liveops.models import State
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import count_numbers, count_stored_lines, operation, wait_for_line
from tests.faults.stack import FaultStack
from tests.processes import wait_until
from tests.watcher import Watcher

AWAY_SECONDS = float(os.environ.get("FAULTS_REDIS_AWAY", "10"))
RIGHT_WITHIN = 10.0
# How old what a page shows may be: two heartbeats, or the time between two questions.
BEHIND_WHILE_AWAY = 8.0
PAUSE = 0.03


def opened(page: Page, member: SiteClient, operation_id: str) -> Page:
    """Shows the operation to this member."""
    base_url = str(member.http.base_url)
    page.context.add_cookies(
        [
            {"name": cookie.name, "value": cookie.value or "", "url": base_url}
            for cookie in member.http.cookies.jar
        ]
    )
    page.goto(f"{base_url.rstrip('/')}/operations/{operation_id}/")
    return page


def freshness_is(page: Page, name: str, within: float) -> None:
    expect(page.locator("live-operation")).to_have_attribute(
        "freshness", re.compile(f"^({name})$"), timeout=within * 1000
    )


def numbers(page: Page) -> list[int]:
    texts = page.locator('[data-liveop-part="log"] li span').all_inner_texts()
    return [int(text.removeprefix("line ")) for text in texts]


def shows(page: Page, line: int, within: float) -> None:
    expect(page.get_by_text(f"line {line}", exact=True)).to_be_attached(timeout=within * 1000)


@pytest.mark.fault(6)
def test_pages_stay_right_while_redis_is_away(
    stack: FaultStack, member: SiteClient, page: Page, figures: Figures
) -> None:
    lines = int((AWAY_SECONDS + 25) / PAUSE)
    operation_id = member.start("kinds.chatter", lines=lines, burst=1, pause=PAUSE)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    before = opened(page, member, operation_id)
    freshness_is(before, "live", within=20)
    watcher = Watcher(member, operation_id)
    watcher.connect()
    wait_for_line(operation_id, 100)
    log_began = stack.web.log.stat().st_size

    stack.stop_redis()
    meanwhile = opened(page.context.new_page(), member, operation_id)
    freshness_is(meanwhile, "polling", within=10)
    expect(meanwhile.locator("[data-liveop-connection]")).to_have_text(
        "Live updates are not getting through; checking every 5 s"
    )
    page.wait_for_timeout(AWAY_SECONDS * 1000 / 2)
    written = operation(operation_id).log_lines
    for each in (before, meanwhile):
        shows(each, written, within=BEHIND_WHILE_AWAY)
    watcher.wait_for(lambda view: view.last_line >= written, within=BEHIND_WHILE_AWAY)
    freshness_is(meanwhile, "polling", within=1)
    page.wait_for_timeout(AWAY_SECONDS * 1000 / 2)

    stack.start_redis()
    with figures.time_until_right():
        written = operation(operation_id).log_lines
        for each in (before, meanwhile):
            shows(each, written, within=RIGHT_WITHIN)
            freshness_is(each, "live|polling", within=RIGHT_WITHIN)
        watcher.wait_for(lambda view: view.last_line >= written, within=RIGHT_WITHIN)
    # The websocket that was open all the time is served again without a new one.
    began = len(watcher.messages)
    wait_until(
        lambda: sum(each["type"] == "frame" for each in watcher.messages[began:]) > 30,
        "frames come one by one again",
        within=RIGHT_WITHIN,
    )
    assert watcher.close_code is None
    assert len(sockets) == 1
    freshness_is(meanwhile, "live", within=35)

    watcher.wait_until_finished()
    watcher.disconnect()
    assert watcher.view.problems == []
    count_stored_lines(figures, operation_id, lines)
    for each in (before, meanwhile):
        expect(each.locator("live-operation")).to_have_attribute("state", State.SUCCEEDED)
        shows(each, lines, within=10)
        count_numbers(figures, numbers(each), lines)
    with stack.web.log.open(encoding="utf-8") as log:
        log.seek(log_began)
        said = log.read()
    assert "Traceback" not in said, said
    assert "code=1013" in said
