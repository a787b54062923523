"""Whatever somebody writes, a page shows it as text: nothing runs, nothing is asked, nothing is
refused, and what is read is what was written.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from liveops.models import State
from liveops.record import Log
from liveops.tests.make import add_lines, make_operation
from tests.client import SiteClient
from tests.faults.browsing import sign_in
from tests.kinds.parrot import EVERY, LEVELS, LONGEST_IN_REGION, Parrot
from tests.security.canary import Canary, aside
from tests.security.promises import Figures
from tests.security.stack import SecurityStack
from tests.security.texts import EVERYTHING, HYPHENS, MEGABYTE, TEXTS, Text, together

pytestmark = pytest.mark.fault(14)

WITHIN_MS = 60_000
AT_ONCE = 54
SLICES = [(first, min(first + AT_ONCE, len(EVERY))) for first in range(0, len(EVERY), AT_ONCE)]

READ = """
() => {
  const text = (place) => document.querySelector(place)?.textContent.trim();
  const all = (place) => [...document.querySelectorAll(place)].map((item) => item.textContent);
  return {
    status: text(".liveop-status-text"),
    stage: text("[data-stage=active] .liveop-stage-name"),
    label: text(".liveop-figures > span:nth-of-type(1)"),
    unit: text(".liveop-figures > span:nth-of-type(2)"),
    said: text("[data-turn]"),
    title: document.querySelector("[data-turn]").title.trim(),
    lines: all("[data-liveop-part=log] > li > span").slice(-5),
  };
}
"""
PLACES = ", ".join(
    [
        *(".liveop-status-text", ".liveop-stage-name", ".liveop-figures > span", "[data-turn]"),
        *(".liveop-lines > li > span", ".liveop-error", ".liveop-outcome td", ".liveop-outcome th"),
    ]
)


@pytest.fixture
def canary(page: Page, stack: SecurityStack) -> Iterator[Canary]:
    watching = Canary(page.context, stack)
    yield watching
    watching.assert_silent()


@pytest.fixture
def member(new_member: Callable[[], SiteClient]) -> SiteClient:
    return aside(new_member)


def finished(member: SiteClient, log: list[str], **columns: Any) -> Any:
    """An operation of the member's, as if it had run."""

    def make() -> Any:
        owner = User.objects.get(username=member.username)
        operation = make_operation(owner, Parrot, State.SUCCEEDED, **columns)
        add_lines(operation, *log)
        return operation

    return aside(make)


def downloaded_log(member: SiteClient, operation: Any, level: str = "info") -> list[str]:
    answer = member.http.get(f"/operations/{operation.pk}/log.txt")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    began = rf"^\d{{4}}-\S+ {level} "
    lines = re.split(began, answer.content.decode(), flags=re.MULTILINE)
    return [line.removesuffix("\n") for line in lines[1:]]


def start(member: SiteClient, **fields: Any) -> str:
    return member.start("kinds.parrot", **{"first": 0, "last": 0, **fields})


def open_page(page: Page, member: SiteClient, path: str) -> None:
    sign_in(page, member)
    page.goto(f"{str(member.http.base_url).rstrip('/')}{path}")


def expected_now(each: Text) -> dict[str, Any]:
    """What the page says while the run is at this text."""
    said = each.shown if len(each.text) < LONGEST_IN_REGION else ""
    shown = each.shown.strip()
    return {
        "status": shown,
        "stage": shown,
        "label": shown,
        "unit": f"0 of 1 {shown}",
        "said": said.strip(),
        # Within an attribute, a mark is what it is elsewhere: an element.
        "title": re.sub(r"\[U\+\w+\]", lambda mark: mark[0], said.strip()),
        "lines": [each.logged] * len(LEVELS),
    }


@pytest.mark.parametrize(("first", "last"), SLICES)
def test_reports_of_a_run(
    page: Page,
    stack: SecurityStack,
    member: SiteClient,
    canary: Canary,
    figures: Figures,
    first: int,
    last: int,
) -> None:
    """Status, stages, label, unit, regions and the log, as they come; the result; all reloaded."""
    operation = start(member, mode="say", first=first, last=last)
    open_page(page, member, f"/operations/{operation}/")
    for number in range(first, last):
        page.wait_for_selector(f"[data-turn='{number}']", state="attached", timeout=WITHIN_MS)
        seen = page.evaluate(READ)
        seen["title"] = re.sub(r"<span class=unseen[^>]*>(.*?)</span>", r"\1", seen["title"])
        assert seen == expected_now(EVERY[number])
        canary.assert_only_text(page, PLACES)
        Parrot.objects.filter(pk=operation).update(turn=number + 1)
    expect(page.locator("live-operation")).to_have_attribute(
        "state", "SUCCEEDED", timeout=WITHIN_MS
    )
    texts = EVERY[first:last]
    for _visit in range(2):
        expect(page.locator(".liveop-outcome tr")).to_have_count(len(texts))
        assert results(page) == sorted([each.shown.strip()] * 2 for each in texts)
        assert stages(page) == [each.shown.strip() for each in texts]
        lines = shown_log(page)
        assert len(lines) >= len(LEVELS)
        assert lines == [each.logged for each in texts for _ in LEVELS][-len(lines) :]
        canary.assert_only_text(page, PLACES)
        page.reload()
    figures.inputs += len(texts) * (len(expected_now(texts[0])) + len(LEVELS) + 1)


def results(page: Page) -> list[list[str]]:
    rows = page.locator(".liveop-outcome tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    return sorted(rows)


def stages(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".liveop-stage-name").all_text_contents()]


def shown_log(page: Page) -> list[str]:
    return page.locator(".liveop-lines > li > span").all_text_contents()


def test_whole_log_and_its_download(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    operation = finished(member, log=[each.stored for each in EVERY])
    open_page(page, member, f"/operations/{operation.pk}/log/")
    assert shown_log(page) == [each.logged for each in EVERY]
    canary.assert_only_text(page, PLACES)
    figures.inputs += len(EVERY)
    assert downloaded_log(member, operation) == [each.stored for each in EVERY]


def test_polling_snapshot(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """The same through the other door, when no websocket gets through."""
    page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close())
    operation = start(member, mode="say", first=0, last=AT_ONCE)
    open_page(page, member, f"/operations/{operation}/")
    expect(page.locator("live-operation")).to_have_attribute(
        "freshness", "polling", timeout=WITHIN_MS
    )
    Parrot.objects.filter(pk=operation).update(turn=AT_ONCE)
    expect(page.locator(".liveop-outcome tr")).to_have_count(AT_ONCE, timeout=WITHIN_MS)
    texts = EVERY[:AT_ONCE]
    assert results(page) == sorted([each.shown.strip()] * 2 for each in texts)
    assert stages(page) == [each.shown.strip() for each in texts]
    assert shown_log(page)[-50:] == [each.logged for each in texts for _ in LEVELS][-50:]
    canary.assert_only_text(page, PLACES)
    figures.inputs += 3 * len(texts)


def test_errors(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """`p.error()`, many texts at a time, as the page of a failed operation shows it."""
    for texts in together(TEXTS):
        operation = start(member, mode="fail", note=HYPHENS.join(each.stored for each in texts))
        open_page(page, member, f"/operations/{operation}/")
        error = page.locator(".liveop-error")
        expect(error).to_be_attached(timeout=WITHIN_MS)
        shown = HYPHENS.join(each.shown for each in texts)
        assert error.text_content() == shown.replace("\n", "")
        canary.assert_only_text(page, PLACES)
        figures.inputs += len(texts)


@pytest.mark.fault(14)
def test_a_line_of_a_megabyte_and_one_of_everything(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """In every field at once: stored, shown inert, downloadable."""
    texts = [EVERYTHING, MEGABYTE]
    assert EVERY[-2:] == texts
    operation = start(member, mode="say", first=len(EVERY) - 2, last=len(EVERY))
    open_page(page, member, f"/operations/{operation}/")
    Parrot.objects.filter(pk=operation).update(turn=len(EVERY))
    expect(page.locator(".liveop-outcome tr")).to_have_count(2, timeout=WITHIN_MS)
    logged = [each.logged for each in texts for _ in LEVELS]
    for _visit in range(2):
        assert results(page) == sorted([each.shown] * 2 for each in texts)
        assert stages(page) == [each.shown for each in texts]
        assert page.locator(".liveop-status-text").inner_text().strip() == texts[-1].shown
        lines = shown_log(page)
        assert lines == logged[-len(lines) :]
        assert len(lines) >= len(LEVELS)
        canary.assert_only_text(page, PLACES)
        page.reload()
    page.goto(f"{page.url}log/")
    assert shown_log(page) == logged
    row = Parrot.objects.get(pk=operation)
    stored = [each.stored for each in texts for _ in LEVELS]
    assert [line.text for line in Log(row, row.attempt)] == stored
    assert downloaded_log(member, row, r"\w+") == stored
    figures.inputs += len(texts) * (len(expected_now(EVERYTHING)) + 2 * len(LEVELS))
