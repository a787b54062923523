"""What a real worker and a real web server send to an OpenTelemetry collector."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from config.tracing import KEPT
from liveops.models import State
from tests.client import SiteClient
from tests.faults.ledger import wait_for_state
from tests.kinds.models import PERSONAL
from tests.observability.stack import ObservedStack
from tests.processes import wait_until


def spans(stack: ObservedStack) -> Iterator[Any]:
    for body in list(stack.sink.bodies.get("/v1/traces", [])):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {item.key: item.value.string_value for item in resource.resource.attributes}
            assert names["service.name"] == "Test site"
            for scope in resource.scope_spans:
                yield from scope.spans


def attributes(span: Any) -> dict[str, Any]:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def trace_of(stack: ObservedStack, operation_id: str) -> list[Any]:
    """All spans of the trace that the run belongs to."""
    runs = [span for span in spans(stack) if operation_id in str(attributes(span))]
    ids = {span.trace_id for span in runs}
    return [span for span in spans(stack) if span.trace_id in ids]


def test_a_run_belongs_to_the_request_that_started_it(
    stack: ObservedStack, member: SiteClient
) -> None:
    operation_id = member.start("kinds.greeting")
    wait_for_state(operation_id, State.SUCCEEDED)
    wait_until(
        lambda: (
            {"run/liveops.run_operation", "POST start/<str:kind>/"}
            <= {span.name for span in trace_of(stack, operation_id)}
        ),
        "request and run arrive",
    )
    found = {span.name: span for span in trace_of(stack, operation_id)}
    request = found["POST start/<str:kind>/"]
    assert attributes(request)["http.route"] == "start/<str:kind>/"
    assert attributes(request)["http.status_code"] == 302
    assert attributes(found["run/liveops.run_operation"])["celery.task_name"] == (
        "liveops.run_operation"
    )
    queries = [s for s in found.values() if attributes(s).get("db.system") == "postgresql"]
    assert queries


def test_probes_reports_and_sweeps_make_no_traces(stack: ObservedStack, member: SiteClient) -> None:
    operation_id = member.start("kinds.chatter", lines=200, burst=1, pause=0.01)
    wait_for_state(operation_id, State.SUCCEEDED)
    for path in ("healthz", "readyz"):
        httpx.get(f"{stack.base_url}/{path}")
    wait_until(lambda: trace_of(stack, operation_id), "it arrives")
    time.sleep(1)
    everything = list(spans(stack))
    # The reporter wrote a hundred times and more.
    assert len(trace_of(stack, operation_id)) < 100
    assert not any(span.name.endswith(("healthz", "readyz")) for span in everything)
    roots = [span for span in everything if not span.parent_span_id]
    assert roots
    assert not any(span.kind == span.SPAN_KIND_CLIENT for span in roots)


def test_nothing_personal_has_left(stack: ObservedStack, member: SiteClient) -> None:
    operation_id = member.start("kinds.failing", how="aloud")
    wait_for_state(operation_id, State.FAILED)
    member.http.get("/operations/", params={"q": PERSONAL})
    httpx.get(f"{stack.base_url}/nowhere/{PERSONAL}", headers={"User-Agent": PERSONAL})
    wait_until(lambda: trace_of(stack, operation_id), "it arrives")
    time.sleep(1)
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
    for span in spans(stack):
        assert set(attributes(span)) <= KEPT
        assert not span.status.message
        for event in span.events:
            assert {item.key for item in event.attributes} <= {"exception.type"}
