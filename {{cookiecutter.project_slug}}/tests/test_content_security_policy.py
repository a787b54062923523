"""A real browser finds nothing to object to, on the site's pages and in the admin."""

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from accounts.models import User
from tests.services import Stack

pytestmark = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)


@pytest.fixture
def complaints(page: Page, stack: Stack) -> list[str]:
    """What the browser complains about while a superuser, signed in, looks around."""
    found: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(f"{page.url}: {message.text}")

    page.on("console", listen)
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    if not User.objects.filter(username="root").exists():
        User.objects.create_superuser("root", password="a-password")
    page.goto(f"{stack.base_url}/accounts/login/?next=/")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("a-password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{stack.base_url}/")
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/operations/",
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        "/admin/auth/group/add/",
        "/admin/liveops/liveoperation/",
    ],
)
def test_a_page_keeps_to_the_policy(
    page: Page, stack: Stack, complaints: list[str], path: str
) -> None:
    answer = page.goto(f"{stack.base_url}{path}", wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200
    assert complaints == []


def test_the_policy_lets_the_websocket_of_the_same_host_through(
    page: Page, stack: Stack, complaints: list[str]
) -> None:
    page.goto(f"{stack.base_url}/start/kinds.greeting/")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("live-operation[state=SUCCEEDED]")).to_be_visible()
    page.goto(f"{stack.base_url}/operations/", wait_until="networkidle")
    assert complaints == []


def test_the_policy_does_stop_what_is_foreign(
    page: Page, stack: Stack, complaints: list[str]
) -> None:
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in complaint for complaint in complaints)
