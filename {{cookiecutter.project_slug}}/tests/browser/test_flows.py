"""People at work: real pages, a real worker, a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from liveops.models import LiveOperation, State
from tests.kinds.models import Chatter, Patient
from tests.people import PASSWORD
from tests.processes import SITE
from tests.services import Stack

# One database will do here: what the pages show does not depend on it.
pytestmark = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)
SAMPLE = SITE / "operations" / "samples" / "contacts.csv"


@pytest.fixture
def user(stack: Stack, request: pytest.FixtureRequest) -> User:
    name = re.sub(r"\W", "-", request.node.name)[:100]
    return User.objects.create_user(name, password=PASSWORD)


@pytest.fixture
def site(stack: Stack, page: Page, user: User, complaints: list[str]) -> Iterator[Page]:
    """A page of somebody who is signed in. The browser must find nothing wrong with the site."""
    page.goto(stack.base_url)
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Start an operation")).to_be_visible()
    yield page
    assert complaints == []


def start(site: Page, stack: Stack, kind: str, **fields: Any) -> None:
    site.goto(f"{stack.base_url}/start/{kind}/")
    for name, value in fields.items():
        site.locator(f"[name={name}]").fill(str(value))
    site.get_by_role("button", name="Start", exact=True).click()
    expect(site.locator("live-operation")).to_be_attached()


def state_is(site: Page, state: State, within: float = 30) -> None:
    expect(site.locator("live-operation")).to_have_attribute("state", state, timeout=within * 1000)


def shown(page: Page) -> list[str]:
    return page.locator('[data-liveop-part="log"] li span').all_inner_texts()


def numbers(page: Page) -> list[int]:
    return [int(text.removeprefix("line ")) for text in shown(page)]


def test_an_import_is_watched_from_upload_to_result(site: Page, stack: Stack) -> None:
    site.get_by_role("link", name="Import contacts").click()
    site.get_by_label("File").set_input_files(SAMPLE)
    # Every value that the bar takes is noted, because it may take them quickly.
    site.add_init_script(
        """
        window.percents = [];
        new MutationObserver(() => {
          const value = document.querySelector("live-operation progress")?.value;
          if (value !== undefined && value !== window.percents.at(-1)) window.percents.push(value);
        }).observe(document, { subtree: true, childList: true, attributes: true });
        """
    )
    site.get_by_role("button", name="Start", exact=True).click()
    state_is(site, State.SUCCEEDED)
    expect(site.locator("live-operation progress")).to_have_attribute("value", "100.0")
    expect(site.get_by_role("heading", name="Imported")).to_be_visible()
    expect(site.locator("[data-count=created]")).to_have_text("5,000")
    expect(site.locator('[data-stage="done"]')).to_have_count(3)
    expect(site).to_have_title(re.compile("^Succeeded · Import contacts"))
    assert len(set(site.evaluate("window.percents"))) > 3, "the bar moved"


def test_a_reload_in_the_middle_goes_on_without_a_gap(site: Page, stack: Stack, user: User) -> None:
    start(site, stack, Chatter.kind_name(), lines=180, burst=1, pause=0.02)
    expect(site.get_by_text("line 40", exact=True)).to_be_attached(timeout=20_000)
    site.reload()
    state_is(site, State.SUCCEEDED)
    expect(site.get_by_text("line 180", exact=True)).to_be_attached()
    assert numbers(site) == list(range(1, 181))


def test_a_flood_of_lines_ends_at_the_true_state(site: Page, stack: Stack) -> None:
    start(site, stack, Chatter.kind_name(), lines=60_000, burst=500, pause=0.05)
    state_is(site, State.SUCCEEDED, within=60)
    expect(site.get_by_text("line 60000", exact=True)).to_be_attached()
    seen = numbers(site)
    assert seen == list(range(seen[0], 60_001))
    assert len(seen) <= 2_000
    expect(site.get_by_role("link", name=f"{seen[0] - 1:,} earlier lines")).to_be_visible()
    expect(site.locator('[data-liveop-part="result"]')).to_contain_text("60000")


def test_offline_and_back_brings_exactly_what_was_missed(site: Page, stack: Stack) -> None:
    start(site, stack, Chatter.kind_name(), lines=190, burst=1, pause=0.03)
    expect(site.get_by_text("line 20", exact=True)).to_be_attached(timeout=20_000)
    site.context.set_offline(True)
    expect(site.locator("live-operation")).to_have_attribute("freshness", "offline")
    site.wait_for_timeout(2_000)
    site.context.set_offline(False)
    expect(site.locator("live-operation")).to_have_attribute("freshness", "live")
    state_is(site, State.SUCCEEDED)
    expect(site.get_by_text("line 190", exact=True)).to_be_attached()
    assert numbers(site) == list(range(1, 191))


def test_the_web_server_may_restart_while_one_watches(site: Page, stack: Stack) -> None:
    start(site, stack, Chatter.kind_name(), lines=190, burst=1, pause=0.05)
    expect(site.get_by_text("line 10", exact=True)).to_be_attached(timeout=20_000)
    stack.restart(stack.web)
    stack.wait_until_serving()
    state_is(site, State.SUCCEEDED, within=60)
    expect(site.get_by_text("line 190", exact=True)).to_be_attached(timeout=30_000)
    assert numbers(site) == list(range(1, 191))


def test_cancel_and_retry_without_leaving_the_page(site: Page, stack: Stack, user: User) -> None:
    start(site, stack, Patient.kind_name())
    state_is(site, State.RUNNING)
    expect(site.locator("live-operation")).to_have_attribute("freshness", "live")
    site.evaluate("window.samePage = true")
    site.get_by_role("button", name="Cancel").click()
    state_is(site, State.CANCELLED)
    expect(site.get_by_role("heading", name="This operation was cancelled")).to_be_visible()
    site.get_by_role("button", name="Retry").dblclick()
    expect(site.locator("live-operation")).to_have_attribute("data-liveop-attempt", "2")
    state_is(site, State.RUNNING)
    expect(site.get_by_text("attempt 2", exact=True)).to_be_attached()
    expect(site.get_by_text("attempt 1", exact=True)).to_have_count(0)
    assert site.evaluate("window.samePage") is True
    Patient.objects.filter(owner=user).update(may_end=True)
    state_is(site, State.SUCCEEDED)
    assert LiveOperation.objects.get(owner=user).attempt == 2


def test_a_start_form_pressed_twice_starts_once(site: Page, stack: Stack, user: User) -> None:
    site.goto(f"{stack.base_url}/start/{Patient.kind_name()}/")
    site.get_by_role("button", name="Start", exact=True).dblclick()
    expect(site.locator("live-operation")).to_be_attached()
    assert LiveOperation.objects.filter(owner=user).count() == 1
    Patient.objects.filter(owner=user).update(may_end=True)
    state_is(site, State.SUCCEEDED)


def test_a_wrong_file_is_explained_next_to_its_field(
    site: Page, stack: Stack, tmp_path: Path
) -> None:
    site.goto(f"{stack.base_url}/start/operations.importcontacts/")
    wrong = tmp_path / "picture.png"
    wrong.write_bytes(b"not a picture")
    site.get_by_label("File").set_input_files(wrong)
    site.get_by_role("button", name="Start", exact=True).click()
    field = site.locator(".field", has=site.get_by_label("File"))
    expect(field.locator(".field-errors")).to_contain_text("png")
    expect(site.get_by_label("File")).to_have_attribute("aria-invalid", "true")
    expect(site.get_by_role("button", name="Start", exact=True)).to_be_enabled()


def test_the_list_updates_itself_and_filters(site: Page, stack: Stack, user: User) -> None:
    start(site, stack, Patient.kind_name())
    state_is(site, State.RUNNING)
    watching = site.context.new_page()
    watching.goto(f"{stack.base_url}/operations/")
    row = watching.get_by_role("row", name=re.compile("Patient"))
    expect(row).to_contain_text("Running")
    Patient.objects.filter(owner=user).update(may_end=True)
    expect(row).to_contain_text("Succeeded", timeout=15_000)
    watching.get_by_label("State").select_option("FAILED")
    watching.get_by_role("button", name="Filter").click()
    expect(watching.get_by_text("No operation of yours matches this filter.")).to_be_visible()
    watching.goto(f"{stack.base_url}/operations/?kind={Patient.kind_name()}")
    expect(watching.get_by_label("Kind")).to_have_value(Patient.kind_name())
    expect(row).to_have_count(1)


def test_the_operation_of_somebody_else_does_not_exist(
    site: Page, stack: Stack, complaints: list[str]
) -> None:
    other = User.objects.create_user(f"other-than-{stack.port}", password=PASSWORD)
    foreign = Patient(owner=other)
    foreign.submit(by=other)
    answer = site.goto(stack.base_url + foreign.get_absolute_url())
    assert answer is not None
    assert answer.status == 404
    expect(site.get_by_role("heading", name="Nothing is here")).to_be_visible()
    foreign.cancel(by=other)
    assert [text for text in complaints if "404" not in text] == []
    complaints.clear()


def test_a_page_that_comes_back_after_signing_out_offers_to_sign_in(
    site: Page, stack: Stack, user: User, complaints: list[str]
) -> None:
    start(site, stack, Patient.kind_name())
    state_is(site, State.RUNNING)
    # The browser complains of a socket that is given up before it is open.
    expect(site.locator("live-operation")).to_have_attribute("freshness", "live")
    cookies = {cookie["name"]: cookie["value"] for cookie in site.context.cookies()}
    site.context.set_offline(True)
    expect(site.locator("live-operation")).to_have_attribute("freshness", "offline")
    form = {"csrfmiddlewaretoken": cookies["csrftoken"]}
    answer = httpx.post(f"{stack.base_url}/accounts/logout/", data=form, cookies=cookies)
    assert answer.headers["Location"] == "/accounts/login/"
    site.context.set_offline(False)
    expect(site.locator("live-operation")).to_have_attribute("freshness", "stopped")
    expect(site.locator("p[data-liveop-connection]").get_by_role("link")).to_have_text(
        "Sign in again"
    )
    complaints[:] = [text for text in complaints if "401" not in text]
    Patient.objects.filter(owner=user).update(may_end=True)
