"""Sentry and OpenTelemetry, which are imported only where a variable asks for them."""

import os
from importlib import import_module
from urllib.parse import urlsplit

from celery.signals import beat_init, worker_process_init, worker_process_shutdown
from django.core.exceptions import ImproperlyConfigured

from config.variables import is_set_with

SENTRY = "SENTRY_DSN"
TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT"
PACKAGES = {SENTRY: "sentry_sdk", TRACES: "opentelemetry.exporter.otlp.proto.http"}


def is_wanted(variable: str) -> bool:
    """Whether the variable is set. Raises ImproperlyConfigured where its package is missing."""
    return is_set_with(variable, package=PACKAGES[variable])


def start_sentry() -> None:
    """Called by the settings, so that every process has it."""
    if is_wanted(SENTRY):
        environment = os.environ.get("SENTRY_ENVIRONMENT", "").strip()
        import_module("config.sentry").start(os.environ[SENTRY].strip(), environment)


def check_traces(service: str) -> bool:
    """Whether there are to be traces, of a service with this name unless OTEL_SERVICE_NAME says
    another one.
    """
    if not is_wanted(TRACES):
        return False
    address = os.environ[TRACES].strip()
    if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname:
        raise ImproperlyConfigured(
            f"{TRACES} is {address!r}. Set it to the address of a collector that takes OTLP over "
            "http, such as http://collector:4318, or leave it out."
        )
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    return True


def start_traces() -> None:
    """Called by a web server before it makes its application."""
    if is_wanted(TRACES):
        import_module("config.tracing").start()


@worker_process_init.connect
@beat_init.connect
def start_traces_of_tasks(**_kwargs: object) -> None:
    """After the fork: a child has none of its parent's threads."""
    start_traces()


@worker_process_shutdown.connect
def send_the_last_traces(**_kwargs: object) -> None:
    if is_wanted(TRACES):
        import_module("config.tracing").flush()
