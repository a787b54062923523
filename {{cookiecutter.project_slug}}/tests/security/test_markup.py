"""`p.html()` and `html_raw=` show markup as it is; even markup made to attack runs nothing."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Error, Page, Route, expect

from liveops.models import LiveOperation
from tests.client import SiteClient
from tests.faults.browsing import sign_in
from tests.kinds.parrot import Parrot
from tests.security.canary import Canary, aside
from tests.security.promises import Figures
from tests.security.stack import SecurityStack
from tests.security.texts import MARKUP

pytestmark = pytest.mark.fault(14)

WITHIN_MS = 60_000
# Whatever a reader could be tricked into touching.
TOUCH = """
() => {
  const region = document.querySelector("#raw");
  if (!region) return 0;
  for (const place of region.querySelectorAll("*")) {
    for (const name of ["mouseover", "focus", "toggle", "error", "load", "animationstart"]) {
      place.dispatchEvent(new Event(name, { bubbles: true }));
    }
    const address = place.getAttribute("href") ?? place.getAttribute("formaction") ?? "";
    if (/^\\s*(javascript|data|vbscript):/i.test(address)) place.click?.();
  }
  const forms = [...region.querySelectorAll("form[action]")];
  forms.forEach((form) => form.submit());
  return forms.length;
}
"""


@pytest.fixture
def canary(page: Page, stack: SecurityStack) -> Iterator[Canary]:
    """Markup may lead elsewhere, but elsewhere has nothing to say here, so the page stays."""
    watching = Canary(page.context, stack)

    def refuse(route: Route) -> None:
        route.fulfill(status=204)

    page.context.route(lambda url: "evil.example" in url, refuse)
    yield watching
    watching.assert_nothing_ran()


@pytest.fixture
def member(new_member: Callable[[], SiteClient]) -> SiteClient:
    return aside(new_member)


def visit(page: Page, address: str) -> None:
    """Go there. Where the markup before made the page go to may break off the first tries."""
    for tries_left in (2, 1, 0):
        try:
            page.goto(address, wait_until="domcontentloaded")
            return
        except Error as error:
            broken_off = "ERR_ABORTED" in str(error) or "interrupted" in str(error)
            if not broken_off or not tries_left:
                raise


def test_markup_as_it_comes(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """Through the websocket, into a page that is open."""
    operation = member.start("kinds.parrot", mode="markup", first=0, last=len(MARKUP))
    path = f"{stack.base_url}/operations/{operation}/"
    sign_in(page, member)
    page.goto(path)
    for number in range(len(MARKUP)):
        # Markup can take the page apart.
        shown = page.locator(f"[data-turn='{number}'], body:not(:has(live-operation))")
        expect(shown.first).to_be_attached(timeout=WITHIN_MS)
        submitted = page.evaluate(TOUCH)
        canary.assert_nothing_ran()
        Parrot.objects.filter(pk=operation).update(turn=number + 1)
        # Playwright would wait for the end of what the policy did not let begin.
        if submitted or page.url != path or not page.locator("live-operation").count():
            visit(page, path)
    figures.inputs += len(MARKUP)
    assert canary.refused, "the policy was not in force"


def test_markup_of_a_page_that_is_loaded(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """As the browser's own parser meets it, when no script of ours has been there before."""
    operation = member.start("kinds.parrot", mode="fail", first=0, last=0)
    sign_in(page, member)
    row = LiveOperation.objects.filter(pk=operation)
    for markup in MARKUP:
        row.update(regions={"#raw": markup})
        visit(page, f"{stack.base_url}/operations/{operation}/")
        page.evaluate(TOUCH)
        canary.assert_nothing_ran()
    figures.inputs += len(MARKUP)
    assert canary.refused, "the policy was not in force"
