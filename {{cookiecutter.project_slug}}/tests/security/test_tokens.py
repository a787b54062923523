"""Tokens that are used again, by others, for something else, too late, or that nobody issued."""

import threading
import time
from collections.abc import Callable
from itertools import cycle
from typing import NamedTuple

import pytest
from django.test import override_settings
from redis import Redis

from liveops.models import LiveOperation
from liveops.security import CLOCK_SKEW, make_subscription_token
from tests.kinds.guarded import GROUP as KIND_GROUP
from tests.processes import HOST
from tests.security.cast import CAST, Visitor, make_person, make_secret_operation, session_of, visit
from tests.security.hostile import tampered
from tests.security.promises import Figures
from tests.security.sockets import OK, Socket, answer_to
from tests.security.stack import OLD_KEY, SITE_GROUP, SecurityStack

RACES = 50
BAD, EXPIRED, UNKNOWN = "4401", "4410", "4404"
TTL = 300


def listens(stack: SecurityStack, operation: LiveOperation) -> bool:
    """Whether any web server has joined the operation's group."""
    with Redis(host=HOST, port=stack.redis_port) as redis:
        return bool(redis.pubsub_channels(f"*{operation.pk}*"))


# Fault 15


@pytest.mark.fault(15)
def test_a_token_is_good_once(stack: SecurityStack, owner: Visitor) -> None:
    token = owner.token()
    with Socket(stack.base_url, owner.cookie) as first:
        assert first.subscribe(token) == OK
        assert answer_to(stack.base_url, owner.cookie, token) == BAD
    assert answer_to(stack.base_url, owner.cookie, token) == BAD
    assert answer_to(stack.watchful_url, owner.cookie, token) == BAD


@pytest.mark.fault(15)
def test_of_two_sockets_that_race_with_one_token_one_wins(
    stack: SecurityStack, owner: Visitor, figures: Figures
) -> None:
    """On one web server, and on two."""
    others = cycle([stack.base_url, stack.watchful_url])
    won = []
    for _ in range(RACES):
        token = owner.token()
        with (
            Socket(stack.base_url, owner.cookie) as one,
            Socket(next(others), owner.cookie) as other,
        ):
            won.append(sorted(race([one, other], token)))
    assert won == [sorted([OK, BAD])] * RACES
    figures.note(f"{RACES} races, {RACES} winners")


def race(sockets: list[Socket], token: str) -> list[str]:
    """What each gets, when all subscribe at the same instant."""
    barrier = threading.Barrier(len(sockets))
    answers: list[str] = []

    def run(socket: Socket) -> None:
        barrier.wait(timeout=10)
        answers.append(socket.subscribe(token))

    threads = [threading.Thread(target=run, args=[socket]) for socket in sockets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


# Fault 16


class Case(NamedTuple):
    make: Callable[[Visitor], str]
    code: str


def of_another_user(owner: Visitor) -> str:
    user = make_person(SITE_GROUP, KIND_GROUP)
    return make_subscription_token(user, owner.operation, session_key=owner.session_key)


def of_another_session(owner: Visitor) -> str:
    return owner.token(session_key=session_of(owner.operation.owner))


def of_a_foreign_operation(owner: Visitor) -> str:
    operation, _word = make_secret_operation(make_person(SITE_GROUP, KIND_GROUP))
    return owner.token(operation)


def at(seconds: float) -> Callable[[Visitor], str]:
    """Made so many seconds from now."""

    def make(owner: Visitor) -> str:
        with pytest.MonkeyPatch.context() as patch:
            now = time.time()
            patch.setattr(time, "time", lambda: now + seconds)
            return owner.token()

    return make


def with_key(key: str) -> Callable[[Visitor], str]:
    def make(owner: Visitor) -> str:
        with override_settings(SECRET_KEY=key, SECRET_KEY_FALLBACKS=[]):
            return owner.token()

    return make


def before_the_password_changed(owner: Visitor) -> str:
    user = owner.operation.owner
    token = owner.token()
    user.set_password("another good password")
    user.save()
    # Their browser has a new session, as the form that changes a password gives it one.
    owner.session_key = session_of(user)
    return token


CASES = {
    "another user's": Case(of_another_user, BAD),
    "another session's": Case(of_another_session, BAD),
    "a foreign operation's": Case(of_a_foreign_operation, UNKNOWN),
    "an unknown operation's": Case(lambda owner: owner.token(LiveOperation()), UNKNOWN),
    "too old": Case(at(-TTL - CLOCK_SKEW - 2), EXPIRED),
    "old, within the skew of clocks": Case(at(-TTL - CLOCK_SKEW + 2), OK),
    "of a clock that is ahead": Case(at(CLOCK_SKEW), OK),
    "signed with another key": Case(with_key("another key of some length 0123456789"), BAD),
    "signed with the key before": Case(with_key(OLD_KEY), OK),
    "from before a new password": Case(before_the_password_changed, BAD),
    "not signed at all": Case(lambda owner: owner.token().partition(":")[0], BAD),
    "a session's key": Case(lambda owner: owner.session_key, BAD),
}


@pytest.mark.fault(16)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_token_that_is(stack: SecurityStack, owner: Visitor, case: Case) -> None:
    token = case.make(owner)
    with Socket(stack.base_url, owner.cookie) as socket:
        assert socket.subscribe(token) == case.code
        if case.code != OK:
            assert not socket.connection.close_reason
            assert not listens(stack, owner.operation)


@pytest.mark.fault(16)
@pytest.mark.usefixtures("quiet")
def test_a_tampered_token(stack: SecurityStack, owner: Visitor, figures: Figures) -> None:
    for place in (3, 60, -50, -1):
        for token in tampered(owner.token(), place):
            figures.inputs += 1
            answer = answer_to(stack.base_url, owner.cookie, token)
            # Nothing at all is no token, and so no message that the protocol knows.
            assert answer == (BAD if token else "4400"), token
    assert not listens(stack, owner.operation)


@pytest.mark.fault(16)
def test_a_token_opens_its_own_operation_whatever_else_is_asked(
    stack: SecurityStack, owner: Visitor
) -> None:
    other, word = make_secret_operation(owner.operation.owner)
    channel = other.get_channel_name()
    with Socket(stack.base_url, owner.cookie) as socket:
        extra = {"channel": channel, "channels": [channel], "operation": str(other.pk)}
        socket.say(type="subscribe", token=owner.token(), **extra)
        assert socket.hear()["status"] == "ok"
        snapshot = str(socket.hear())
    assert owner.word in snapshot
    assert word not in snapshot
    assert not listens(stack, other)


@pytest.mark.fault(16)
def test_a_socket_without_session_needs_a_token_for_clients(
    stack: SecurityStack, owner: Visitor
) -> None:
    unbound = make_subscription_token(owner.operation.owner, owner.operation)
    assert answer_to(stack.base_url, "", owner.token()) == BAD
    assert answer_to(stack.base_url, "", unbound) == BAD
    client = owner.client_token()
    assert answer_to(stack.base_url, "", client) == OK
    assert answer_to(stack.base_url, "", client) == BAD


@pytest.mark.fault(16)
def test_a_session_of_somebody_else_cannot_use_a_clients_token(
    stack: SecurityStack, owner: Visitor
) -> None:
    with CAST["other"](stack.base_url) as other:
        client = owner.client_token()
        assert answer_to(stack.base_url, other.cookie, client) == BAD


def test_the_page_and_the_token_address_issue_tokens_of_their_session(
    stack: SecurityStack, owner: Visitor
) -> None:
    address = f"/operations/{owner.operation.pk}/"
    page = owner.http.get(address).text
    embedded = page.partition('data-liveop-token="')[2].partition('"')[0]
    fetched = owner.http.post(f"{address}token/").json()["token"]
    user = owner.operation.owner
    with visit(stack.base_url, user, owner.operation, owner.word) as elsewhere:
        for token in (embedded, fetched):
            assert answer_to(stack.base_url, elsewhere.cookie, token) == BAD
            assert answer_to(stack.base_url, owner.cookie, token) == OK
