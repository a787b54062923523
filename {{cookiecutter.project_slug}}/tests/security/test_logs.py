"""What the logs of all processes say, and what they never say."""

import re

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from rest_framework.authtoken.models import Token

from liveops.models import LiveOperation, State
from tests.faults.ledger import wait_for_state
from tests.people import PASSWORD
from tests.processes import wait_until
from tests.security.cast import SESSION_KEYS, Visitor
from tests.security.credentials import use
from tests.security.leaks import leaks_in
from tests.security.promises import Figures
from tests.security.sockets import OK, Socket, answer_to
from tests.security.stack import OLD_KEY, SecurityStack


def wait_for_line(stack: SecurityStack, pattern: str) -> str:
    """The line of the web server's log that matches."""
    wanted = re.compile(pattern, re.MULTILINE)
    wait_until(lambda: wanted.search(stack.logs()["web"]), f"{pattern!r} is in the log", within=5)
    found = wanted.search(stack.logs()["web"])
    assert found
    return found[0]


def deed(owner: Visitor, what: str, operation_id: str = "") -> str:
    """The line of something that the owner has done to an operation, by default their own."""
    key = operation_id or str(owner.operation.pk)
    user = owner.operation.owner_id
    return rf"^.*liveops\.audit: {what} operation={key} .*user={user}\b.*$"


def test_start_cancel_and_retry_are_written_down(stack: SecurityStack, owner: Visitor) -> None:
    answer = owner.http.post("/start/kinds.patient/", data={"may_end": ""})
    key = answer.headers["Location"].strip("/").split("/")[-1]
    wait_for_state(key, State.RUNNING)
    owner.http.post(f"/operations/{key}/cancel/")
    wait_for_state(key, State.CANCELLED)
    owner.http.post(f"/operations/{key}/restart/")
    owner.http.post(f"/operations/{key}/cancel/")
    assert "INFO" in wait_for_line(stack, deed(owner, "operation started", key))
    wait_for_line(stack, deed(owner, "cancel requested", key))
    wait_for_line(stack, deed(owner, "operation queued again", key))
    wait_for_state(key, State.CANCELLED)


def test_tokens_that_are_issued_are_written_down(stack: SecurityStack, owner: Visitor) -> None:
    owner.http.post(f"/operations/{owner.operation.pk}/token/")
    wait_for_line(stack, deed(owner, "token issued"))
    use(owner, "jwt")
    owner.http.post(f"/api/operations/{owner.operation.pk}/subscription-token/")
    wait_for_line(stack, deed(owner, "token issued") + r"(?<=client)|to.*client")


def test_a_refused_token_is_a_warning_with_the_address(
    stack: SecurityStack, owner: Visitor
) -> None:
    before = len(stack.logs()["web"])
    assert answer_to(stack.base_url, owner.cookie, "forged") == "4401"
    pattern = re.compile(r" WARNING .*websocket refused .*address=127\.0\.0\.1 .*code=4401 why=")
    wait_until(lambda: pattern.search(stack.logs()["web"][before:]), "a warning", within=5)


def test_a_closed_socket_is_written_down_with_the_reason(
    stack: SecurityStack, owner: Visitor
) -> None:
    with Socket(stack.base_url, owner.cookie) as socket:
        assert socket.subscribe(owner.token()) == OK
    wait_for_line(stack, deed(owner, "websocket closed") + r"(?<=why=left)")
    with Socket(stack.base_url, owner.cookie) as socket:
        assert socket.subscribe(owner.token()) == OK
        LiveOperation.objects.get(pk=owner.operation.pk).delete()
        assert socket.close_code() == 4404
    line = wait_for_line(stack, r"^.*websocket closed operation=.*code=4404 .*$")
    assert "deleted" in line


def test_whatever_is_a_secret_would_be_found() -> None:
    """The search below finds what it looks for."""
    user = "person"
    token = f"{'e' * 40}:1w2x3y:{'s' * 43}"
    for planted in (token, f"eyJ{'a' * 20}.eyJ{'b' * 20}.{'c' * 30}", "known-secret"):
        text = f"GET /operations/\nPOST /x?token={planted} 200\nuser={user}"
        assert leaks_in(text, ["known-secret", ""]) == [f"POST /x?token={planted} 200"]
    assert leaks_in("2026-11-23 02:50:10,123 INFO liveops: nothing", ["known-secret"]) == []


@pytest.mark.last
def test_no_log_holds_a_secret(stack: SecurityStack, figures: Figures) -> None:
    """After everything else that this suite does, with whatever was issued meanwhile."""
    known = {
        settings.SECRET_KEY,
        settings.METRICS_TOKEN,
        OLD_KEY,
        PASSWORD,
        "another good password",
        *SESSION_KEYS,
    }
    known |= set(Session.objects.values_list("session_key", flat=True))
    known |= set(Token.objects.values_list("key", flat=True))
    logs = {**stack.logs(), "database": stack.database.log_tail()}
    for name, text in logs.items():
        assert not leaks_in(text, known), f"the log of {name}"
    assert known & SESSION_KEYS
    lines = sum(text.count("\n") for text in logs.values())
    figures.note(f"{lines} lines of {len(logs)} logs, {len(known)} known secrets: none found")
