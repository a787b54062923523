"""What a real worker and a real web server send to Sentry, and what they keep."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from liveops.models import State
from tests.client import SiteClient
from tests.faults.ledger import wait_for_state
from tests.kinds.models import PERSONAL
from tests.observability.stack import ObservedStack
from tests.processes import wait_until

ENVELOPES = "/api/1/envelope/"


def sent(stack: ObservedStack) -> Iterator[dict[str, Any]]:
    """The events; nothing else may be in an envelope."""
    for envelope in stack.sink.bodies.get(ENVELOPES, []):
        _head, *items = [line for line in envelope.split(b"\n") if line]
        for head, body in zip(items[::2], items[1::2], strict=True):
            assert json.loads(head)["type"] == "event"
            yield json.loads(body)


def of_run(stack: ObservedStack, operation_id: str) -> list[dict[str, Any]]:
    return [e for e in sent(stack) if e["tags"].get("operation") == operation_id]


def test_a_failing_run_is_told_without_what_anybody_wrote(
    stack: ObservedStack, member: SiteClient
) -> None:
    operation_id = member.start("kinds.failing", how="aloud")
    wait_for_state(operation_id, State.FAILED)
    wait_until(lambda: len(of_run(stack, operation_id)) == 2, "two events arrive")
    mine, failure = sorted(of_run(stack, operation_id), key=lambda e: "exception" in e)
    assert failure["environment"] == "tests"
    assert failure["tags"] == {"operation": operation_id, "attempt": "1"}
    assert failure["logentry"] == {"message": "%s attempt %s failed"}
    (error,) = failure["exception"]["values"]
    assert error["type"] == "ValueError"
    assert "value" not in error
    last = error["stacktrace"]["frames"][-1]
    assert (last["module"], last["function"]) == ("tests.kinds.models", "run")
    assert "is no number" in last["context_line"]  # the code, not what it made
    assert not any("vars" in frame for frame in error["stacktrace"]["frames"])
    # A line whose text is not known to be a template says where it comes from, no more.
    assert mine["logger"] == "operations.mine"
    assert "logentry" not in mine
    assert mine["threads"]["values"]


def test_a_host_that_somebody_tries_is_no_error_of_ours(
    stack: ObservedStack, member: SiteClient
) -> None:
    for _ in range(3):
        assert httpx.get(f"{stack.base_url}/", headers={"Host": "10.1.2.3"}).status_code == 400
    operation_id = member.start("kinds.failing", how="aloud")
    wait_until(lambda: of_run(stack, operation_id), "what comes later arrives")
    assert not any(e["logger"] == "django.security.DisallowedHost" for e in sent(stack))


def test_nothing_personal_has_left(stack: ObservedStack, member: SiteClient) -> None:
    """After a run, a form and a page that failed; with everything that arrived so far."""
    operation_id = member.start("kinds.failing", how="aloud")
    wait_for_state(operation_id, State.FAILED)
    wait_until(lambda: of_run(stack, operation_id), "it arrives")
    everything = stack.sink.all_bytes().decode("utf-8", "replace")
    for secret in (
        PERSONAL,
        member.username,
        "127.0.0.1",
        stack.env["SECRET_KEY"],
        stack.env["METRICS_TOKEN"],
        *member.http.cookies.values(),
    ):
        assert secret not in everything, secret
    for event in sent(stack):
        assert not {"user", "breadcrumbs", "extra", "modules"} & set(event)
        assert set(event.get("request", {})) <= {"method"}
