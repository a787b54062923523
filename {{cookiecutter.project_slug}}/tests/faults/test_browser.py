"""A real page in a real browser: offline, frozen, restored, flooded, older than the server."""

import os
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from liveops.models import State
from tests.client import SiteClient
from tests.faults.browsing import (
    WITHIN_MS,
    count_on_page,
    count_shown_end,
    freshness_is,
    is_same_page,
    open_live_page,
    renderers_of,
    shown_numbers,
    sign_in,
    state_is,
    watch_requests,
)
from tests.faults.figures import Figures
from tests.faults.ledger import count_stored_lines, operation, wait_for_state
from tests.faults.stack import SHORT_TIMES, FaultStack

OFFLINE_SECONDS = float(os.environ.get("FAULTS_OFFLINE", "30"))
FLOOD_SECONDS = float(os.environ.get("FAULTS_FLOOD_SECONDS", "10"))
FLOOD_RATE = 10_000
FROZEN_SECONDS = SHORT_TIMES["TOKEN_TTL"] + 3
# The browser's main thread is never busy for longer, or a click would be felt to wait.
LONGEST_TASK_MS = 500
# Of an event: the browser keeps the page as it is.
KEPT = "{ persisted: true }"

OBSERVE_LONG_TASKS = """
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      window.longest = Math.max(window.longest, duration);
    }
  }).observe({ type: "longtask" });
"""


@pytest.fixture
def exceptions(page: Page) -> Iterator[list[str]]:
    """What the page's own code threw: nothing, whatever happens."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert found == []


@pytest.fixture
def site(page: Page, member: SiteClient, exceptions: list[str]) -> Page:
    sign_in(page, member)
    return page


@pytest.mark.fault(10)
def test_the_browser_is_offline_for_a_while(
    site: Page, stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    # A page catches up with 2,000 lines at most; here each one must come.
    pause = max(0.02, OFFLINE_SECONDS / 1_200)
    operation_id = member.start("kinds.chatter", lines=1_800, burst=1, pause=pause)
    open_live_page(site, member, operation_id)
    expect(site.get_by_text("line 50", exact=True)).to_be_attached(timeout=WITHIN_MS)
    site.context.set_offline(True)
    freshness_is(site, "offline")
    seen = shown_numbers(site)[-1]
    site.wait_for_timeout(OFFLINE_SECONDS * 1000)
    missed = operation(operation_id).log_lines - seen
    with figures.time_until_right():
        site.context.set_offline(False)
        expect(site.get_by_text(f"line {seen + missed}", exact=True)).to_be_attached(
            timeout=WITHIN_MS
        )
    state_is(site, State.SUCCEEDED)
    count_on_page(figures, site, 1_800)
    assert is_same_page(site)
    figures.note(f"{missed} lines missed and filled in")


@pytest.mark.fault(11)
def test_a_page_that_was_frozen_past_its_tokens_life_goes_on(
    site: Page, stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    operation_id = member.start("kinds.chatter", lines=1_500, burst=1, pause=0.03)
    open_live_page(site, member, operation_id)
    expect(site.get_by_text("line 50", exact=True)).to_be_attached(timeout=WITHIN_MS)
    renderers = renderers_of(site)
    for each in renderers:
        each.suspend()
    # The old connection is lost meanwhile, so that the page has to make a new one.
    stack.restart_web()
    time.sleep(FROZEN_SECONDS)
    counts = watch_requests(site)
    with figures.time_until_right():
        for each in renderers:
            each.resume()
        now = operation(operation_id).log_lines
        expect(site.get_by_text(f"line {now}", exact=True)).to_be_attached(timeout=WITHIN_MS)
    state_is(site, State.SUCCEEDED)
    count_on_page(figures, site, 1_500)
    assert is_same_page(site)
    assert 1 <= counts["tokens"] <= 3, counts
    assert 1 <= counts["sockets"] <= 3, counts
    figures.note(f"{counts['tokens']} tokens, {counts['sockets']} connections")


@pytest.mark.fault(11)
def test_a_page_that_comes_back_from_the_history_goes_on(
    site: Page, stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    operation_id = member.start("kinds.chatter", lines=1_800, burst=1, pause=0.03)
    open_live_page(site, member, operation_id)
    expect(site.get_by_text("line 50", exact=True)).to_be_attached(timeout=WITHIN_MS)
    site.goto(f"{stack.base_url}/operations/")
    site.wait_for_timeout(FROZEN_SECONDS * 1000)
    counts = watch_requests(site)
    with figures.time_until_right():
        site.go_back()
        now = operation(operation_id).log_lines
        expect(site.get_by_text(f"line {now}", exact=True)).to_be_attached(timeout=WITHIN_MS)
    freshness_is(site, "live")
    assert 1 <= counts["sockets"] <= 2, counts
    # Chromium loads it anew, as it was told to. Browsers that keep the page all the same say so:
    site.evaluate("window.samePage = true")
    site.evaluate(f"dispatchEvent(new PageTransitionEvent('pagehide', {KEPT}))")
    site.wait_for_timeout(FROZEN_SECONDS * 1000)
    counts = watch_requests(site)
    site.evaluate(f"dispatchEvent(new PageTransitionEvent('pageshow', {KEPT}))")
    freshness_is(site, "live")
    assert is_same_page(site)
    assert counts == {"tokens": 1, "sockets": 1}
    state_is(site, State.SUCCEEDED)
    count_shown_end(figures, site, 1_800)


@pytest.mark.fault(13)
@pytest.mark.parametrize("running_stack", ["postgres", "sqlite"], indirect=True)
def test_a_run_logs_ten_thousand_lines_a_second(
    site: Page, stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    lines = int(FLOOD_RATE * FLOOD_SECONDS)
    site.add_init_script(OBSERVE_LONG_TASKS)
    operation_id = member.start("kinds.flood", seconds=FLOOD_SECONDS, rate=FLOOD_RATE)
    site.goto(f"{stack.base_url}/operations/{operation_id}/")
    row = wait_for_state(operation_id, State.SUCCEEDED, within=10 * FLOOD_SECONDS)
    with figures.time_until_right():
        state_is(site, State.SUCCEEDED)
        expect(site.get_by_text(f"line {lines}", exact=True)).to_be_attached(timeout=WITHIN_MS)
    count_stored_lines(figures, operation_id, lines)
    count_shown_end(figures, site, lines)
    longest = site.evaluate("window.longest")
    assert longest < LONGEST_TASK_MS
    took = (row.result_context or {})["seconds"]
    figures.note(f"{lines:,} lines in {took:.1f} s, longest task of the page {longest:.0f} ms")


@pytest.mark.fault(26)
def test_an_old_page_goes_on_with_a_new_server_of_the_same_protocol(
    site: Page, stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    operation_id = member.start("kinds.chatter", lines=600, burst=1, pause=0.03)
    open_live_page(site, member, operation_id)
    with figures.time_until_right():
        stack.restart_web()
        freshness_is(site, "live")
    state_is(site, State.SUCCEEDED)
    count_shown_end(figures, site, 600)
    assert is_same_page(site)


@pytest.mark.fault(26)
def test_an_old_page_is_told_to_reload_by_a_new_server_with_another_protocol(
    site: Page, stack: FaultStack, member: SiteClient, figures: Figures
) -> None:
    operation_id = member.start("kinds.chatter", lines=600, burst=1, pause=0.03)
    open_live_page(site, member, operation_id)
    present = stack.web.command[-1]
    try:
        with figures.time_until_right():
            stack.deploy_web("tests.faults.next_version:application")
            freshness_is(site, "stopped")
        reload = site.get_by_role("button", name="Reload this page")
        expect(reload).to_be_visible()
    finally:
        stack.deploy_web(present)
    # By now, and because this test has no page of the next version, the old one serves again.
    reload.click()
    freshness_is(site, "live")
    assert not is_same_page(site)
    state_is(site, State.SUCCEEDED)
    count_shown_end(figures, site, 600)
