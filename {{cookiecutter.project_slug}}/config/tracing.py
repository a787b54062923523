"""Traces for OpenTelemetry: how long requests, runs and queries took, and nothing of what was in
them.

Imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set.
"""

from collections.abc import Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, Status

# Addresses with their queries, of people and of browsers, stay here, as do keys and arguments.
KEPT = {
    *("http.method", "http.request.method", "http.route", "http.scheme", "http.flavor"),
    *("http.status_code", "http.response.status_code"),
    *("db.system", "db.name", "db.statement", "db.query.text", "db.operation"),
    *("celery.action", "celery.task_name", "celery.state", "celery.retries"),
    *("messaging.message.id", "messaging.message_id", "messaging.destination"),
}
STATEMENTS = {"db.statement", "db.query.text"}
FLUSH_WITHIN_MS = 3_000


class Beginnings(Sampler):
    """A trace begins with a request or a task; a query alone is none.

    So the reporters, which write many times a second, and the sweeps make no traces.
    """

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Any = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        begins = kind in {SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.PRODUCER}
        return SamplingResult(Decision.RECORD_AND_SAMPLE if begins else Decision.DROP, attributes)

    def get_description(self) -> str:
        return "requests and tasks"


class DiscreetExporter(SpanExporter):
    """Hands on what may leave."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def discreet(span: ReadableSpan) -> ReadableSpan:
    """The same span with known attributes alone, and exceptions by their type."""
    attributes = {
        name: value
        for name, value in (span.attributes or {}).items()
        if name in KEPT and not (name in STATEMENTS and has_literal(str(value)))
    }
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=[discreet_event(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def has_literal(statement: str) -> bool:
    """Django passes values beside the statement; in other code's they may stand within."""
    return "'" in statement or "$$" in statement


def discreet_event(event: Any) -> Event:
    kept = {
        name: event.attributes[name] for name in ("exception.type",) if name in event.attributes
    }
    return Event(event.name, attributes=kept, timestamp=event.timestamp)


def start() -> None:
    """To be called once in each process that works, in a worker's children after the fork."""
    provider = TracerProvider(sampler=ParentBased(root=Beginnings()))
    provider.add_span_processor(BatchSpanProcessor(DiscreetExporter(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    # Behind the headers and the metrics, which are no requests of people.
    DjangoInstrumentor().instrument(
        middleware_position=2, excluded_urls="/healthz$,/readyz$", tracer_provider=provider
    )
    CeleryInstrumentor().instrument()
    PsycopgInstrumentor().instrument()
    RedisInstrumentor().instrument()


def flush() -> None:
    """A child of a worker ends without ceremony."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(FLUSH_WITHIN_MS)
