"""What browsers report becomes a line without secrets, and nothing that is sent does harm."""

import json
import logging
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from config import csp_report as module
from config.csp_report import LARGEST_BODY, Quota, facts, read_reports

LEGACY, MODERN = module.TYPES
VIOLATION = {
    "document-uri": "https://live.example.org/operations/?state=QUEUED#top",
    "effective-directive": "script-src-elem",
    "blocked-uri": "https://user:secret@evil.example:8443/x.js?token=1",
    "script-sample": "alert(document.cookie)",
}
LINE = (
    "csp violation address=127.0.0.1 directive=script-src-elem "
    "blocked=https://evil.example:8443 path=/operations/"
)


@pytest.fixture(autouse=True)
def quota(monkeypatch: pytest.MonkeyPatch) -> Quota:
    fresh = Quota(each=3, together=5)
    monkeypatch.setattr(module, "quota", fresh)
    return fresh


@pytest.fixture(autouse=True)
def audit(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "liveops.audit")


def send(body: Any, kind: str = LEGACY, **extra: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    client = Client(enforce_csrf_checks=True)
    return client.generic("POST", "/csp-report", data, content_type=kind, **extra)


def test_an_old_report_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    answer = send({"csp-report": VIOLATION})
    assert (answer.status_code, answer.content) == (204, b"")
    assert caplog.messages == [LINE]
    assert caplog.records[0].levelname == "WARNING"


def test_a_new_report_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    body = {
        "documentURL": VIOLATION["document-uri"],
        "effectiveDirective": "script-src-elem",
        "blockedURL": VIOLATION["blocked-uri"],
        "sample": "secret",
    }
    other = {"type": "deprecation", "body": {"id": "x"}}
    assert send([{"type": "csp-violation", "body": body}, other], MODERN).status_code == 204
    assert caplog.messages == [LINE]


@pytest.mark.parametrize(
    ("blocked", "shown"),
    [
        ("inline", "inline"),
        ("wasm-eval", "wasm-eval"),
        ("data", "data"),
        ("data:text/html,<secret>", "data"),
        ("blob:https://live.example.org/1", "blob"),
        ("trusted-types-sink|Element innerHTML|secret", "trusted-types-sink"),
        ("http://[", "http"),
        ("", "unknown"),
        ("a b\nc", "unknown"),
    ],
)
def test_what_was_blocked_is_an_origin_or_a_word(blocked: str, shown: str) -> None:
    assert facts({"blocked-uri": blocked})["blocked"] == shown


def test_nothing_in_a_report_makes_another_line(caplog: pytest.LogCaptureFixture) -> None:
    forged = {"document-uri": "/x\nERROR forged=1\x1b[31m", "effective-directive": "a=b c"}
    send({"csp-report": forged})
    assert len(caplog.messages) == 1
    assert "\n" not in caplog.messages[0]
    assert "\x1b" not in caplog.messages[0]
    assert "directive=unknown" in caplog.messages[0]


@pytest.mark.parametrize(
    "body",
    [
        *(b" ", b"{", b"[" * LARGEST_BODY, b"\xff\xfe", b"null", b"1", b'"x"', b"[1, [], {}]"),
        *(b'{"csp-report": []}', b'[{"type": "csp-violation", "body": 7}]', b"1e999", b"NaN"),
    ],
)
@pytest.mark.parametrize("kind", [LEGACY, MODERN])
def test_what_is_no_report_is_taken_and_forgotten(
    caplog: pytest.LogCaptureFixture, body: bytes, kind: str
) -> None:
    assert send(body, kind).status_code == 204
    assert caplog.messages == []


NAMES = st.sampled_from([*VIOLATION, "documentURL", "effectiveDirective", "blockedURL", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=10,
)


@given(VALUES | st.fixed_dictionaries({"csp-report": st.dictionaries(NAMES, VALUES)}))
def test_no_json_is_too_strange(content: Any) -> None:
    for report in read_reports(json.dumps(content).encode()):
        assert set(facts(report)) == {"directive", "blocked", "path"}


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(body: bytes) -> None:
    assert isinstance(read_reports(body), list)


@pytest.mark.parametrize(
    ("size", "status"), [(LARGEST_BODY, 204), (LARGEST_BODY + 1, 413), (3_000_000, 413)]
)
def test_what_is_too_large_is_not_read(size: int, status: int) -> None:
    assert send(b" " * size).status_code == status


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", "x"])
def test_other_types_are_refused(kind: str) -> None:
    assert send({"csp-report": VIOLATION}, kind).status_code == 415


def test_only_post_is_answered() -> None:
    assert Client().get("/csp-report").status_code == 405


def test_an_address_has_so_many_lines_a_minute() -> None:
    report = {"csp-report": VIOLATION}
    assert [send(report).status_code for _ in range(4)] == [204, 204, 204, 429]
    assert send(report, REMOTE_ADDR="192.0.2.7").status_code == 204


def test_all_addresses_together_have_so_many(quota: Quota) -> None:
    assert [quota.take(str(number)) for number in range(7)] == [True] * 5 + [False] * 2


def test_the_next_minute_begins_anew(quota: Quota, monkeypatch: pytest.MonkeyPatch) -> None:
    now = module.time.monotonic()
    assert [quota.take("a") for _ in range(4)][-1] is False
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 61)
    assert quota.take("a")
