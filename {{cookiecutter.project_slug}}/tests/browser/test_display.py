"""What the element does with what it is told: frames, snapshots, parts, regions, the log."""

import re
import time

from django.utils.safestring import mark_safe
from playwright.sync_api import Locator, Page, expect

from liveops.fragments import LogView
from tests.browser.scripted import OPERATION, ScriptedServer, Socket, line, log

HOSTILE = (
    "<script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"
    "<a href=\"javascript:document.title='hacked'\">a</a>"
    "<b hx-on:click=\"document.title='hacked'\" style='color:red'>b</b>"
    '<i hx-get="/x" hx-trigger="load[document.title=\'hacked\']">i</i>'
    "<svg onload=\"document.title='hacked'\"></svg><title>hacked</title>"
)


def open_page(page: Page, server: ScriptedServer) -> Socket:
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    expect(page.locator("live-operation")).to_have_attribute("freshness", "live")
    return socket


def shown(page: Page) -> list[int]:
    """The numbers of the log lines on the page."""
    return page.eval_on_selector_all(
        '[data-liveop-part="log"] > li', "items => items.map(item => Number(item.dataset.line))"
    )


def log_list(page: Page) -> Locator:
    return page.locator('[data-liveop-part="log"]')


def from_end(page: Page) -> float:
    """How many pixels of the log are below what is seen of it."""
    below: float = log_list(page).evaluate(
        "list => list.scrollHeight - list.scrollTop - list.clientHeight"
    )
    return below


def resting_place(page: Page) -> float:
    """Where the log stands once it has stopped scrolling."""
    seen: list[float] = []
    while len(seen) < 4 or len(set(seen[-4:])) > 1:
        seen.append(log_list(page).evaluate("list => list.scrollTop"))
        page.wait_for_timeout(50)
    return seen[-1]


def at(page: Page, seq: int, attempt: int = 1) -> None:
    """Wait until the page shows this frame."""
    locator = page.locator(
        f'live-operation[data-liveop-seq="{seq}"][data-liveop-attempt="{attempt}"]'
    )
    expect(locator).to_have_count(1)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def test_frames_fill_parts_regions_and_log(
    page: Page, server: ScriptedServer, complaints: list[str]
) -> None:
    socket = open_page(page, server)
    progress = '<progress max="100" value="42.0" aria-label="Progress"></progress>'
    socket.frame(
        1,
        parts={"status": "<p>Reading</p>", "progress": progress},
        regions={"#region": "<p>found one</p>"},
        log=log(1, 3),
    )
    at(page, 1)
    expect(page.locator('[data-liveop-part="status"]')).to_have_text("Reading")
    expect(page.locator("#region")).to_have_text("found one")
    assert shown(page) == [1, 2, 3]
    assert page.title() == "42 % · Greeting"
    socket.frame(2, state="SUCCEEDED", parts={"result": "<h2>Done</h2>"})
    at(page, 2)
    expect(page.locator("live-operation")).to_have_attribute("state", "SUCCEEDED")
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.locator("[data-liveop-announce]")).to_have_text("Succeeded")
    expect(page.locator("[data-liveop-connection]")).to_have_text("Up to date")
    assert page.title() == "Succeeded · Greeting"
    assert complaints == []


def test_duplicate_and_late_frames_change_nothing(page: Page, server: ScriptedServer) -> None:
    server.operation["attempt"] = 2
    socket = open_page(page, server)
    socket.frame(5, attempt=2, parts={"status": "five"}, log=log(1, 2))
    socket.frame(5, attempt=2, parts={"status": "five again"}, log=log(1, 2))
    socket.frame(4, attempt=2, parts={"status": "four"}, log=log(1, 1))
    socket.frame(99, attempt=1, parts={"status": "of an old attempt"}, log=log(50, 51))
    socket.frame(6, attempt=2)
    at(page, 6, attempt=2)
    expect(page.locator('[data-liveop-part="status"]')).to_have_text("five")
    assert shown(page) == [1, 2]


def test_overlapping_lines_are_shown_once(page: Page, server: ScriptedServer) -> None:
    socket = open_page(page, server)
    socket.frame(1, log=log(1, 4))
    socket.frame(3, log=log(3, 6))
    at(page, 3)
    assert shown(page) == [1, 2, 3, 4, 5, 6]


def test_a_gap_clears_the_log_and_says_how_much_came_before(
    page: Page, server: ScriptedServer
) -> None:
    socket = open_page(page, server)
    socket.frame(1, log=log(1, 3))
    at(page, 1)
    expect(page.locator('[data-liveop-part="earlier"]')).to_be_hidden()
    socket.frame(9, log=log(1235, 1236))
    at(page, 9)
    assert shown(page) == [1235, 1236]
    earlier = page.get_by_role("link", name="1,234 earlier lines: open the full log")
    expect(earlier).to_have_attribute("href", f"/operations/{OPERATION}/log/")


def test_the_page_s_own_lines_count_as_shown(page: Page, server: ScriptedServer) -> None:
    html = "".join(line(number) for number in range(11, 14))
    server.log = LogView(first=11, last=13, html=mark_safe(html))  # noqa: S308
    socket = open_page(page, server)
    expect(page.get_by_role("link", name="10 earlier lines")).to_be_visible()
    socket.frame(1, log=log(13, 15))
    at(page, 1)
    assert shown(page) == [11, 12, 13, 14, 15]


def test_a_snapshot_of_the_same_attempt_keeps_the_lines_that_are_right(
    page: Page, server: ScriptedServer
) -> None:
    socket = open_page(page, server)
    socket.frame(7, log=log(1, 5))
    socket.snapshot(8, parts={"status": "as recorded"}, log=log(4, 8))
    at(page, 8)
    assert shown(page) == [1, 2, 3, 4, 5, 6, 7, 8]
    # The record has fewer lines than were pushed: they were lost with their worker.
    socket.snapshot(6, state="LOST", log=log(1, 6))
    at(page, 6)
    assert shown(page) == [1, 2, 3, 4, 5, 6]
    expect(page.locator("live-operation")).to_have_attribute("freshness", "worker-lost")


def test_a_new_attempt_starts_over(page: Page, server: ScriptedServer) -> None:
    server.operation["state"] = "FAILED"
    socket = open_page(page, server)
    socket.frame(3, state="FAILED", parts={"result": "<h2>It failed</h2>"}, log=log(1, 9))
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    socket.snapshot(0, attempt=2, state="QUEUED", parts={"status": "waiting"}, log=log(1, 0))
    at(page, 0, attempt=2)
    assert shown(page) == []
    expect(page.get_by_text("It failed")).to_have_count(0)
    expect(page.get_by_role("button", name="Retry")).to_be_hidden()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    socket.frame(1, attempt=2, log=log(1, 1))
    at(page, 1, attempt=2)
    assert shown(page) == [1]


def test_hostile_markup_does_not_run(
    page: Page, server: ScriptedServer, complaints: list[str]
) -> None:
    socket = open_page(page, server)
    socket.frame(
        1,
        state="SUCCEEDED",
        parts={"status": HOSTILE, "result": HOSTILE},
        regions={"#region": HOSTILE},
        log={"first": 1, "last": 1, "html": line(1, HOSTILE)},
    )
    at(page, 1)
    page.locator('[data-liveop-part="status"] b').click()
    page.wait_for_timeout(300)
    assert page.title() == "Succeeded · Greeting"
    # The browser did refuse something, or the policy was not in force and this proves nothing.
    assert any("Content Security Policy" in complaint for complaint in complaints)


def test_escaped_text_raises_no_complaint(
    page: Page, server: ScriptedServer, complaints: list[str]
) -> None:
    socket = open_page(page, server)
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;")
    socket.frame(
        1,
        parts={"status": f"<p>{escaped}</p>"},
        log={"first": 1, "last": 1, "html": line(1, escaped)},
    )
    at(page, 1)
    expect(log_list(page)).to_contain_text("<script>")
    assert complaints == []


def test_focus_text_scroll_and_open_details_survive_a_morph(
    page: Page, server: ScriptedServer
) -> None:
    socket = open_page(page, server)
    rows = "".join(f"<p>row {number}</p>" for number in range(200))
    region = (
        f'<input id="note"><div id="scrolling" class="liveop-lines">{rows}</div>'
        "<details><summary>More</summary>more</details>"
    )
    socket.frame(1, regions={"#region": region})
    at(page, 1)
    page.locator("#note").fill("typed by hand")
    page.locator("summary").click()
    page.locator("#note").focus()
    page.evaluate("document.querySelector('#scrolling').scrollTop = 500")
    socket.frame(2, regions={"#region": region.replace("row 199", "last row")})
    at(page, 2)
    expect(page.locator("#scrolling p").last).to_have_text("last row")
    expect(page.locator("#note")).to_be_focused()
    expect(page.locator("#note")).to_have_value("typed by hand")
    assert page.evaluate("document.querySelector('#scrolling').scrollTop") == 500
    expect(page.locator("details")).to_have_attribute("open", "")


def test_a_missing_target_is_reported_once(
    page: Page, server: ScriptedServer, complaints: list[str]
) -> None:
    socket = open_page(page, server)
    for seq in range(1, 5):
        socket.frame(seq, regions={"#nowhere": "x", "#region": f"frame {seq}"})
    at(page, 4)
    expect(page.locator("#region")).to_have_text("frame 4")
    assert len(complaints) == 1
    assert "#nowhere" in complaints[0]


def test_the_log_follows_its_end_until_one_scrolls_up(page: Page, server: ScriptedServer) -> None:
    socket = open_page(page, server)
    socket.frame(1, log=log(1, 100))
    at(page, 1)
    jump = page.locator("[data-liveop-jump]")
    assert from_end(page) < 2
    expect(jump).to_be_hidden()
    log_list(page).hover()
    page.mouse.wheel(0, -600)
    expect(jump).to_have_text(re.compile("Jump to the end"))
    before = resting_place(page)
    socket.frame(2, log=log(101, 101))
    expect(jump).to_have_text(re.compile("1 new line "))
    socket.frame(3, log=log(102, 110))
    expect(jump).to_have_text(re.compile("10 new lines"))
    assert resting_place(page) == before
    jump.click()
    expect(jump).to_be_hidden()
    assert from_end(page) < 2
    socket.frame(4, log=log(111, 120))
    at(page, 4)
    assert from_end(page) < 2


def test_the_log_can_be_scrolled_by_keyboard(page: Page, server: ScriptedServer) -> None:
    socket = open_page(page, server)
    socket.frame(1, log=log(1, 100))
    at(page, 1)
    # Chromium loses a key that comes in the middle of its own smooth scrolling.
    assert resting_place(page) > 0
    log_list(page).focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-liveop-jump]")).to_be_visible()
    assert resting_place(page) == 0
    page.keyboard.press("End")
    expect(page.locator("[data-liveop-jump]")).to_be_hidden()


def test_ten_thousand_lines_a_second_do_not_freeze_the_page(
    page: Page, server: ScriptedServer
) -> None:
    socket = open_page(page, server)
    page.evaluate(
        """() => {
          window.longest = 0;
          new PerformanceObserver((list) => {
            for (const { duration } of list.getEntries()) {
              window.longest = Math.max(window.longest, duration);
            }
          }).observe({ type: "longtask" });
        }"""
    )
    start = time.monotonic()
    for seq in range(1, 251):
        first = (seq - 1) * 200 + 1
        socket.frame(seq, log=log(first, first + 199))
        time.sleep(max(0, start + seq * 0.02 - time.monotonic()))
    expect(page.locator("live-operation")).to_have_attribute("data-liveop-seq", "250")
    at(page, 250)
    assert from_end(page) < 2
    assert shown(page) == list(range(48_001, 50_001))
    expect(page.get_by_role("link", name="48,000 earlier lines")).to_be_visible()
    assert page.evaluate("window.longest") < 500


def test_a_hidden_page_keeps_its_title_and_little_else(page: Page, server: ScriptedServer) -> None:
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true })")
    socket = open_page(page, server)
    for seq in range(1, 31):
        socket.frame(
            seq,
            parts={"progress": f'<progress max="100" value="{seq}.0"></progress>'},
            log=log((seq - 1) * 200 + 1, seq * 200),
        )
    at(page, 30)
    expect(page).to_have_title("30 % · Greeting")
    expect(page.locator('[data-liveop-part="log"] > li')).to_have_count(2000)
    assert shown(page) == list(range(4001, 6001))


def test_the_page_goes_on_to_where_it_is_sent(page: Page, server: ScriptedServer) -> None:
    socket = open_page(page, server)
    socket.frame(1, state="SUCCEEDED", redirect="/elsewhere/")
    page.wait_for_url(f"{server.url}elsewhere/")


def test_the_page_goes_to_no_other_site(page: Page, server: ScriptedServer) -> None:
    socket = open_page(page, server)
    socket.frame(1, state="SUCCEEDED", redirect="https://example.org/")
    at(page, 1)
    page.wait_for_timeout(300)
    assert page.url == server.url


def test_cancel_is_sent_once_and_stays_on_the_page(page: Page, server: ScriptedServer) -> None:
    server.token_answer = (204, "text/plain", "")
    socket = open_page(page, server)
    page.evaluate("window.samePage = true")
    page.get_by_role("button", name="Cancel").dblclick()
    expect(page.get_by_text("Cancelling: the operation stops at its next check.")).to_be_visible()
    assert page.evaluate("window.samePage") is True
    assert [request["HX-Request"] for request in server.tokens_asked] == ["true"]
    socket.frame(1, state="CANCELLED")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_the_list_asks_only_for_what_is_new_and_says_when_it_cannot(
    page: Page, server: ScriptedServer, complaints: list[str]
) -> None:
    server.rows = (200, "1", "<p>first rows</p>")
    page.goto(f"{server.url}list/")
    rows = page.locator("[data-live-list-rows]")
    note = page.locator("[data-live-list-note]")
    expect(rows).to_have_text("first rows")
    expect(note).to_be_hidden()
    page.wait_for_timeout(600)
    assert server.rows_asked[:2] == [None, '"1"']
    server.rows = (200, "2", "<p>second rows</p>")
    expect(rows).to_have_text("second rows")
    assert complaints == []
    server.rows = (503, "3", "busy")
    expect(note).to_be_visible()
    expect(note).to_have_text(re.compile(r"Not updated for \d+ s"))
    server.rows = (200, "4", "<p>back again</p>")
    expect(rows).to_have_text("back again")
    expect(note).to_be_hidden()
