"""The API's page in a real browser, which must find nothing wrong with it."""

import httpx
import pytest
from playwright.sync_api import Page, expect
from rest_framework.authtoken.models import Token

from accounts.models import User
from tests.people import PASSWORD
from tests.services import Stack

pytestmark = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)


def test_the_page_shows_each_call_and_breaks_no_policy(
    stack: Stack, page: Page, complaints: list[str]
) -> None:
    user = User.objects.create_user("reader-of-the-api", password=PASSWORD)
    page.goto(f"{stack.base_url}/api/docs/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()
    headers = {"Authorization": f"Token {Token.objects.create(user=user).key}"}
    schema = httpx.get(f"{stack.base_url}/api/schema/", headers=headers).json()
    calls = page.locator("main > details")
    expect(calls).to_have_count(sum(len(methods) for methods in schema["paths"].values()))
    for call in calls.all():
        call.locator("summary").first.click()
        expect(call.get_by_role("heading", name="Answers")).to_be_visible()
    threshold = page.locator("#start_operations_findduplicates").get_by_role("rowheader")
    expect(threshold.filter(has_text="threshold").first).to_be_visible()
    assert complaints == []
