"""What every answer tells the browser, whoever asked for what; and what its cookies are like."""

import re
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest

from config.browser_policy import POWERS
from tests.people import PASSWORD
from tests.processes import HOST, PYTHON, Process, answers, free_port
from tests.security.accounts import make_account
from tests.security.cast import CAST, visit
from tests.security.cast import make_secret_operation as make_operation
from tests.security.sockets import OK, answer_to
from tests.security.stack import SecurityStack
from tests.security.test_access_matrix import HTTP, path_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types liveops default; report-uri /csp-report"
)
SECURE_POLICY = f"{POLICY}; report-to csp"
EXPECTED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{power}=()" for power in POWERS),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
DAY = 24 * 3600


def assert_protected(answer: httpx.Response, policy: str = POLICY) -> None:
    told = {name: answer.headers.get(name) for name in EXPECTED}
    assert told == EXPECTED, f"{answer.request.method} {answer.url}: {answer.status_code}"
    told_policy = answer.headers["Content-Security-Policy"]
    assert set(told_policy.split("; ")) == set(policy.split("; ")), answer.url
    assert "Access-Control-Allow-Origin" not in answer.headers, answer.url


@pytest.mark.parametrize("who", ["anonymous", "owner", "superuser"])
@pytest.mark.parametrize("route", HTTP)
def test_every_address_answers_with_them(stack: SecurityStack, route: str, who: str) -> None:
    with CAST[who](stack.base_url) as visitor:
        assert_protected(visitor.http.get(path_of(HTTP[route], visitor)))


REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "bad host": (400, {"url": "/", "headers": {"Host": "evil.example"}}),
    "csrf": (403, {"method": "POST", "url": "/accounts/login/"}),
    "not found": (404, {"url": "/nowhere/"}),
    "no file": (404, {"url": "/static/nothing.js"}),
    "wrong method": (405, {"url": "/accounts/logout/"}),
    "too large": (
        413,
        {
            "method": "POST",
            "url": "/accounts/login/",
            "content": b"x=" + b"x" * 3_000_000,
            "headers": {
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"csrftoken={'x' * 32}",
            },
        },
    ),
    "no report": (415, {"method": "POST", "url": "/csp-report", "content": b"{}"}),
    "a redirect": (302, {"url": "/operations/"}),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_refusals_answer_with_them_too(stack: SecurityStack, why: str) -> None:
    status, request = REFUSALS[why]
    answer = httpx.request(**{"method": "GET", **request, "url": stack.base_url + request["url"]})
    assert answer.status_code == status
    assert_protected(answer)


@pytest.mark.parametrize("path", ["site.css", "liveops/live-operation.js", "favicon.svg"])
def test_files_come_with_them_too(stack: SecurityStack, path: str) -> None:
    assert_protected(httpx.get(f"{stack.base_url}/static/{path}").raise_for_status())


@pytest.fixture(scope="module")
def secure(
    running_stack: SecurityStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """The site as in production, where a proxy ends TLS; asked as this proxy asks."""
    port = free_port()
    env = {**running_stack.env, "HTTPS": "1", "BEHIND_PROXY": "1"}
    command = [PYTHON, "-m", "daphne", "-b", HOST, "-p", str(port), "config.asgi:application"]
    server = Process("secure", command, env, tmp_path_factory.mktemp("secure"))
    server.start()
    try:
        server.wait_for(lambda: answers(f"http://{HOST}:{port}/healthz"), "answers /healthz")
        headers = {"X-Forwarded-Proto": "https", "Origin": f"https://{HOST}:{port}"}
        with httpx.Client(base_url=f"http://{HOST}:{port}", headers=headers) as http:
            yield http
    finally:
        server.stop()


def cookies_of(*pages: httpx.Response) -> dict[str, "Morsel[str]"]:
    jar: SimpleCookie = SimpleCookie()
    for page in pages:
        for line in page.headers.get_list("Set-Cookie"):
            jar.load(line)
    return dict(jar)


def sign_in(http: httpx.Client) -> dict[str, "Morsel[str]"]:
    """All cookies that somebody has after signing in."""
    user = make_account()
    form = http.get("/accounts/login/")
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    assert csrf
    sent = {"username": user.username, "password": PASSWORD, "csrfmiddlewaretoken": csrf[1]}
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies_of(form).items())
    done = http.post("/accounts/login/", data=sent, headers={"Cookie": cookie})
    assert done.status_code == 302, done.text
    return cookies_of(form, done)


def test_cookies_are_of_this_host_alone(stack: SecurityStack, secure: httpx.Client) -> None:
    cookies = sign_in(secure)
    assert set(cookies) == {"__Host-sessionid", "__Host-csrftoken"}
    for cookie in cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
    assert int(cookies["__Host-sessionid"]["max-age"]) <= DAY


def test_a_session_under_another_name_is_none(stack: SecurityStack, secure: httpx.Client) -> None:
    key = sign_in(secure)["__Host-sessionid"].value
    for name, status in {"__Host-sessionid": 200, "sessionid": 302}.items():
        answer = secure.get("/operations/", headers={"Cookie": f"{name}={key}"})
        assert answer.status_code == status, name


def test_the_websocket_knows_that_cookie(stack: SecurityStack, secure: httpx.Client) -> None:
    user = make_account(superuser=True)
    site = str(secure.base_url)
    with visit(site, user, *make_operation(user)) as visitor:
        cookie = f"__Host-sessionid={visitor.session_key}"
        assert answer_to(site, cookie, visitor.token()) == OK
        assert answer_to(site, visitor.cookie, visitor.token()) != OK


def test_https_is_remembered_and_plain_http_leads_there(secure: httpx.Client) -> None:
    answer = secure.get("/accounts/login/")
    hsts = answer.headers["Strict-Transport-Security"]
    assert hsts == f"max-age={365 * DAY}; includeSubDomains; preload"
    assert_protected(answer, SECURE_POLICY)
    assert answer.headers["Reporting-Endpoints"] == 'csp="/csp-report"'
    plain = secure.get("/accounts/login/", headers={"X-Forwarded-Proto": "http"})
    assert plain.status_code == 301
    assert plain.headers["Location"].startswith("https://")
    assert_protected(plain, SECURE_POLICY)
