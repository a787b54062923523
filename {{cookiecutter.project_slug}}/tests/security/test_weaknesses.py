"""Weaknesses that systems of this kind were found to have, and this one has not."""

import re
import time
import uuid
from html.parser import HTMLParser

import pytest
from django.core.cache import cache

from tests.security.access import rows_of
from tests.security.cast import CAST, Visitor, make_secret_operation
from tests.security.credentials import CREDENTIALS
from tests.security.leaks import CREDENTIAL, PUT_IN_ADDRESS
from tests.security.routes import Route, http_routes
from tests.security.sockets import OK, Socket, answer_to
from tests.security.stack import SecurityStack

ADDRESS = re.compile(r"[/?.]|(?:https?|wss?):")
PARAMETERS = ("token", "uuid", "ticket", "auth", "auth_token", "access_token", "jwt", "sessionid")
PAGES = [
    route
    for route in http_routes()
    if any(row.method == "GET" for row in rows_of(route.name))
    and not route.name.startswith("admin")
    and "GET" in {row.method for row in rows_of(route.name)}
]


def in_address(secret: str) -> str:
    return "?" + "&".join([PUT_IN_ADDRESS, *(f"{name}={secret}" for name in PARAMETERS)])


# A token in the address


def test_the_websocket_takes_no_token_from_its_address(
    stack: SecurityStack, owner: Visitor
) -> None:
    token = owner.token()
    for cookie in (owner.cookie, ""):
        path = f"/ws/liveops/{in_address(token)}"
        with Socket(stack.base_url, cookie, path=path) as socket:
            socket.say(type="subscribe")
            assert socket.close_code() == 4400
    # Nor was it used up, as it would be if anybody had looked at it.
    assert answer_to(stack.base_url, owner.cookie, token) == OK


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.name)
def test_no_page_takes_a_credential_from_its_address(
    stack: SecurityStack, owner: Visitor, route: Route
) -> None:
    """Who shows credentials in the address gets what somebody without any gets."""
    path = path_of(route, owner)
    with CAST["anonymous"](stack.base_url) as nobody:
        expected = nobody.http.get(path).status_code
        made = [make(owner.operation.owner).split()[1] for make in CREDENTIALS.values()]
        for secret in (owner.token(), owner.client_token(), owner.session_key, *made):
            answer = nobody.http.get(path + in_address(secret))
            assert answer.status_code == expected
            assert owner.word not in answer.text


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.name)
def test_no_page_has_a_secret_in_an_address(
    stack: SecurityStack, owner: Visitor, route: Route
) -> None:
    answer = owner.http.get(path_of(route, owner))
    found = [answer.headers.get("Location", ""), *addresses_in(answer.text)]
    for address in found:
        assert not CREDENTIAL.search(address), address
        assert owner.session_key not in address


def path_of(route: Route, visitor: Visitor) -> str:
    kind = visitor.operation.kind
    return route.path({"pk": visitor.operation.pk, "kind": kind, "field": "report"})


def addresses_in(html: str) -> list[str]:
    """The values of all attributes that lead somewhere."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for _name, value in attrs if value and ADDRESS.match(value))

    Reader().feed(html)
    return found


# Any key of the cache as a ticket


def test_no_key_or_value_of_the_cache_is_a_ticket(stack: SecurityStack, owner: Visitor) -> None:
    user_key, ticket = str(owner.operation.owner_id), str(uuid.uuid4())
    cache.set(ticket, user_key)
    cache.set(f"liveops:used-token:{ticket}", 1)
    cache.set("user", user_key)
    tried = [ticket, f":1:{ticket}", f"liveops:used-token:{ticket}", "user", user_key]
    tried += [owner.session_key, f"django.contrib.sessions.cache{owner.session_key}"]
    for cookie in (owner.cookie, ""):
        assert {answer_to(stack.base_url, cookie, each) for each in tried} == {"4401"}


# A bad ticket that leaves the handshake hanging


@pytest.mark.parametrize("path", ["/ws/liveops/", "/ws/liveops/?uuid=nonsense&token=nonsense"])
def test_a_bad_token_is_answered_at_once(stack: SecurityStack, owner: Visitor, path: str) -> None:
    for cookie in (owner.cookie, "sessionid=nonsense", ""):
        began = time.monotonic()
        assert answer_to(stack.base_url, cookie, "nonsense", path=path) == "4401"
        assert time.monotonic() - began < 1


def test_an_address_that_is_none_is_refused_at_once(stack: SecurityStack, owner: Visitor) -> None:
    for path in ("/", "/ws/", "/ws/liveops", "/ws/liveops/x/", "/operations/", "/../ws/"):
        began = time.monotonic()
        assert answer_to(stack.base_url, owner.cookie, owner.token(), path=path) == "403"
        assert time.monotonic() - began < 1


# A consumer that one client kills for all


def test_hostile_frames_of_one_leave_the_others_alone(stack: SecurityStack, owner: Visitor) -> None:
    with Socket(stack.base_url, owner.cookie) as watching:
        assert watching.subscribe(owner.token()) == OK
        assert watching.hear()["type"] == "snapshot"
        for frame in ("[]", "{", "[" * 50_000, b"\x00", "x" * 70_000):
            with Socket(stack.base_url, owner.cookie) as hostile:
                hostile.connection.send(frame)
                assert hostile.close_code() in {4400, 1009}
        owner.operation.delete()
        assert watching.close_code() == 4404


# What one page is sent, others are not


def test_a_snapshot_goes_to_the_one_that_asked(stack: SecurityStack, owner: Visitor) -> None:
    with Socket(stack.base_url, owner.cookie) as first:
        assert first.subscribe(owner.token()) == OK
        assert first.hear()["type"] == "snapshot"
        with Socket(stack.base_url, owner.cookie) as second:
            assert second.subscribe(owner.token()) == OK
            assert second.hear()["type"] == "snapshot"
        with pytest.raises(TimeoutError):
            first.hear(within=1)


def test_a_socket_hears_of_no_other_operation(stack: SecurityStack, owner: Visitor) -> None:
    other, _word = make_secret_operation(owner.operation.owner)
    with Socket(stack.base_url, owner.cookie) as socket:
        assert socket.subscribe(owner.token()) == OK
        assert socket.hear()["type"] == "snapshot"
        other.delete()
        with pytest.raises(TimeoutError):
            socket.hear(within=1)
