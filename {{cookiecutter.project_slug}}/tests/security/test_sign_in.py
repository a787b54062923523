"""Guessing passwords ends in a pause, whatever the way in, and tells nobody who has an account."""

import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from axes.models import AccessAttempt
from redis import Redis

from accounts.models import User
from tests.client import SiteClient
from tests.people import PASSWORD
from tests.processes import HOST, PYTHON, Process, answers, free_port
from tests.security.accounts import make_account
from tests.security.stack import SecurityStack

LIMIT = 5
FORM, ADMIN, TOKEN = "/accounts/login/", "/admin/login/", "/api/auth/token/"
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@pytest.fixture
def person(stack: SecurityStack) -> User:
    return make_account(staff=True)


@dataclass(frozen=True)
class Guest:
    """Somebody at a local address who tries to sign in, each time without any cookies."""

    address: str
    site: str

    def sign_in(
        self, name: str, password: str = PASSWORD, *, path: str = FORM, **headers: str
    ) -> httpx.Response:
        transport = httpx.HTTPTransport(local_address=self.address)
        with httpx.Client(
            base_url=self.site, transport=transport, headers=headers, timeout=60
        ) as http:
            sent = {"username": name, "password": password}
            if path == TOKEN:
                return http.post(path, json=sent)
            found = CSRF.search(http.get(path).text)
            assert found
            return http.post(path, data={**sent, "csrfmiddlewaretoken": found[1]})

    def fail(self, name: str, times: int = LIMIT, path: str = FORM) -> list[int]:
        return [self.sign_in(name, "wrong", path=path).status_code for _ in range(times)]


def somewhere() -> str:
    """Each test has addresses of its own, for the API counts all attempts from one."""
    return f"127.{1 + secrets.randbelow(250)}.{secrets.randbelow(250)}.1"


@pytest.fixture
def guest(stack: SecurityStack) -> Guest:
    return Guest(somewhere(), stack.base_url)


@pytest.mark.parametrize(("path", "refusal"), [(FORM, 200), (ADMIN, 200), (TOKEN, 401)])
def test_every_way_in_is_closed_after_too_many_failures(
    stack: SecurityStack, guest: Guest, person: User, path: str, refusal: int
) -> None:
    assert guest.fail(person.username, path=path) == [refusal] * (LIMIT - 1) + [429]
    for way in (FORM, ADMIN, TOKEN):
        answer = guest.sign_in(person.username, path=way)
        assert answer.status_code == 429, way
        assert 890 < int(answer.headers["Retry-After"]) <= 900
        assert "sessionid" not in answer.cookies
        assert answer.headers["Content-Type"].startswith(
            "application/json" if way == TOKEN else "text/html"
        )


def test_the_page_says_how_long_and_whom_to_ask(
    stack: SecurityStack, guest: Guest, person: User
) -> None:
    guest.fail(person.username)
    text = guest.sign_in(person.username).text
    assert "for <strong>15 minutes</strong>" in text
    assert "mailto:admin@example.org" in text


def test_a_lost_redis_lets_nobody_in(stack: SecurityStack, guest: Guest, person: User) -> None:
    guest.fail(person.username)
    with Redis(host=HOST, port=stack.redis_port) as redis:
        redis.flushall()
    assert guest.sign_in(person.username).status_code == 429


def test_the_other_web_server_counts_with_this_one(
    stack: SecurityStack, guest: Guest, person: User
) -> None:
    guest.fail(person.username, LIMIT - 1)
    assert replace(guest, site=stack.watchful_url).fail(person.username, 1) == [429]


def test_guesses_at_the_same_moment_are_counted_too(
    stack: SecurityStack, guest: Guest, person: User
) -> None:
    with ThreadPoolExecutor(12) as pool:
        guesses = pool.map(lambda _: guest.fail(person.username, 2), range(12))
        assert any(429 in statuses for statuses in guesses)
    assert guest.sign_in(person.username).status_code == 429


def test_only_this_name_from_this_address_has_to_wait(
    stack: SecurityStack, guest: Guest, person: User
) -> None:
    guest.fail(person.username)
    assert replace(guest, address=somewhere()).sign_in(person.username).status_code == 302
    assert guest.sign_in(make_account().username).status_code == 302


def test_nobody_chooses_their_address(stack: SecurityStack, guest: Guest, person: User) -> None:
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP", "True-Client-IP")
    for number in range(LIMIT):
        forged = dict.fromkeys(names, f"192.0.2.{number}")
        guest.sign_in(person.username, "wrong", **forged)
    assert guest.sign_in(person.username).status_code == 429


@pytest.fixture
def behind_proxy(stack: SecurityStack, tmp_path: Path) -> Iterator[str]:
    """The same site as the README has it behind a proxy."""
    port = free_port()
    command = [PYTHON, "-m", "daphne", "--proxy-headers", "-b", HOST, "-p", str(port)]
    server = Process("proxied", [*command, "config.asgi:application"], stack.env, tmp_path)
    server.start()
    try:
        server.wait_for(lambda: answers(f"http://{HOST}:{port}/healthz"), "answers /healthz")
        yield f"http://{HOST}:{port}"
    finally:
        server.stop()


def test_behind_a_proxy_the_browser_s_address_counts(
    stack: SecurityStack, person: User, behind_proxy: str
) -> None:
    def attempt(password: str, address: str) -> int:
        guest = Guest(somewhere(), behind_proxy)
        headers = {"X-Forwarded-For": address}
        return guest.sign_in(person.username, password, **headers).status_code

    assert [attempt("wrong", "192.0.2.1") for _ in range(LIMIT)][-1] == 429
    assert attempt(PASSWORD, "192.0.2.1") == 429
    assert attempt(PASSWORD, "2001:db8::7") == 302
    # A proxy that passes on whatever it got breaks nothing either.
    assert [attempt("wrong", "no address'") for _ in range(LIMIT)][-1] == 429


def words_of(answer: httpx.Response, name: str) -> str:
    """A page without what differs between any two: the name that was typed, and its tokens."""
    return CSRF.sub("", answer.text).replace(name, "")


@pytest.mark.parametrize("path", [FORM, ADMIN, TOKEN])
def test_nothing_tells_whether_a_name_is_known(
    stack: SecurityStack, guest: Guest, person: User, path: str
) -> None:
    inactive = make_account(staff=True, active=False)
    unknown = f"person-{secrets.token_hex(6)}"
    tries = [(person.username, "wrong"), (unknown, "wrong"), (inactive.username, PASSWORD)]
    for _ in range(LIMIT + 1):
        seen = [
            (answer.status_code, sorted(answer.headers), words_of(answer, name))
            for name, password in tries
            for answer in [guest.sign_in(name, password, path=path)]
        ]
        assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == 429


def test_what_was_typed_is_in_no_log_and_no_table(
    stack: SecurityStack, guest: Guest, person: User
) -> None:
    typed = f"typed-{secrets.token_hex(8)}"
    before = {name: len(text) for name, text in stack.logs().items()}
    for path in (FORM, ADMIN, TOKEN):
        guest.sign_in(person.username, typed, path=path)
        guest.sign_in(typed, typed, path=path)
    written = {name: text[before.get(name, 0) :] for name, text in stack.logs().items()}
    assert f"sign-in failed user={person.pk} address={guest.address}" in written["web"]
    assert f"sign-in failed address={guest.address}" in written["web"]
    assert not [name for name, text in written.items() if typed in text]
    assert typed not in str(list(AccessAttempt.objects.values()))
    assert not AccessAttempt.objects.filter(username=person.username).exists()


def test_a_lockout_is_a_warning_with_account_and_address(
    stack: SecurityStack, guest: Guest, person: User
) -> None:
    guest.fail(person.username)
    lines = [line for line in stack.logs()["web"].splitlines() if f"user={person.pk} " in line]
    assert " WARNING liveops.audit: sign-in locked user=" in lines[-1]
    assert lines[-1].endswith(f"address={guest.address}")


def test_whoever_looks_after_the_site_lets_somebody_in_again(
    stack: SecurityStack, guest: Guest, person: User
) -> None:
    guest.fail(person.username)
    assert stack.manage("let_in", person.username) == f"{person.username} may sign in again.\n"
    assert guest.sign_in(person.username).status_code == 302


def test_a_changed_password_ends_every_other_session(stack: SecurityStack, person: User) -> None:
    with SiteClient(stack.base_url) as here, SiteClient(stack.base_url) as there:
        for client in (here, there):
            client.sign_in(person.username, PASSWORD)
        new = "another horse, another battery"
        sent = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert here.post("/accounts/password_change/", sent).url.path.endswith("/done/")
        assert here.http.get("/operations/").url.path == "/operations/"
        assert there.http.get("/operations/").url.path == FORM
    assert f"password changed user={person.pk} address=127.0.0.1" in stack.logs()["web"]
    assert new not in "".join(stack.logs().values())
