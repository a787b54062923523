"""Errors for Sentry: where something went wrong, and nothing of what people wrote or who they are.

Imported only where SENTRY_DSN is set.
"""

import logging
from typing import Any

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
from sentry_sdk.utils import BadDsn

from liveops.run_context import current_run

# Whatever else an event has stays here: user, request, breadcrumbs, extra, modules, arguments.
KEPT = {
    *("event_id", "timestamp", "level", "platform", "sdk", "logger"),
    *("environment", "release", "server_name", "transaction_info"),
}
KEPT_OF_FRAME = {
    *("abs_path", "filename", "module", "function", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),
}
KEPT_CONTEXTS = {"runtime", "trace"}
# Their texts are templates, with what people wrote in the arguments. Others' may hold anything.
OWN_LOGGERS = ("accounts", "api", "config", "liveops", "django", "celery")


def start(dsn: str, environment: str) -> None:
    """To be called once, before a worker forks: the SDK starts its thread again in a child."""
    # Whoever tries addresses out would fill the project with it.
    ignore_logger("django.security.DisallowedHost")
    try:
        sentry_sdk.init(
            dsn=dsn,
            environment=environment or None,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            attach_stacktrace=True,
            auto_session_tracking=False,
            send_client_reports=False,
            default_integrations=False,
            integrations=[
                AtexitIntegration(callback=lambda pending, timeout: None),
                CeleryIntegration(propagate_traces=False),
                DedupeIntegration(),
                DjangoIntegration(),
                ExcepthookIntegration(),
                LoggingIntegration(level=None, event_level=logging.ERROR),
            ],
            before_send=discreet,
        )
    except BadDsn as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN is no address such as https://KEY@sentry.example.org/1. Copy it from the "
            "project's settings in Sentry, or leave it out."
        ) from error


def discreet(event: Any, hint: Any) -> Any:
    """What may leave of an event: the kind of the error, the code that it came through, which run.

    The message of an exception often quotes what somebody typed. The log has it, and for a run the
    page shows it to staff.
    """
    kept = {name: value for name, value in event.items() if name in KEPT}
    kept["tags"] = {name: current_run()[name] for name in ("operation", "attempt") if current_run()}
    contexts = event.get("contexts", {})
    kept["contexts"] = {name: contexts[name] for name in KEPT_CONTEXTS if name in contexts}
    if event.get("transaction_info", {}).get("source") not in {None, "url"}:
        kept["transaction"] = event.get("transaction")
    if method := event.get("request", {}).get("method"):
        kept["request"] = {"method": method}
    template = (event.get("logentry") or {}).get("message")
    if template and str(event.get("logger")).partition(".")[0] in OWN_LOGGERS:
        kept["logentry"] = {"message": template}
    for part in ("exception", "threads"):
        if values := (event.get(part) or {}).get("values"):
            kept[part] = {"values": [_where(value) for value in values]}
    return kept


def _where(value: dict[str, Any]) -> dict[str, Any]:
    """The type and the stack of an exception, or of a thread, without messages and variables."""
    kept: dict[str, Any] = {}
    kept |= {name: value[name] for name in ("type", "module", "current") if name in value}
    mechanism = value.get("mechanism") or {}
    kept["mechanism"] = {name: mechanism[name] for name in ("type", "handled") if name in mechanism}
    frames = (value.get("stacktrace") or {}).get("frames") or []
    kept["stacktrace"] = {
        "frames": [
            {name: item for name, item in frame.items() if name in KEPT_OF_FRAME}
            for frame in frames
        ]
    }
    return kept
