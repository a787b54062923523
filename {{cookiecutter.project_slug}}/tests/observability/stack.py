"""A stack that shows everything: JSON logs, metrics, signs of life, and whatever leaves it."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.databases import Database
from tests.faults.stack import FaultStack
from tests.observability.sink import Sink
from tests.processes import HOST, Process, free_port

Labels = frozenset[tuple[str, str]]


class ObservedStack(FaultStack):
    def __init__(self, database: Database, folder: Path, sink: Sink) -> None:
        self.sink = sink
        super().__init__(database, folder)
        self.metrics_ports = {"worker": free_port(), "beat": free_port()}
        for process in (self.worker, self.beat):
            process.env |= {
                "ALIVE_FILE": str(self.alive_file(process)),
                "WORKER_METRICS": f"{HOST}:{self.metrics_ports[process.name]}",
                "PROMETHEUS_MULTIPROC_DIR": str(folder / f"metrics-{process.name}"),
            }

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            "LOG_FORMAT": "json",
            "SENTRY_DSN": f"http://key@{self.sink.address}/1",
            "SENTRY_ENVIRONMENT": "tests",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.sink.address}",
            # So that a test need not wait.
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    # Signs of life

    def alive_file(self, process: Process) -> Path:
        return self.folder / f"{process.name}.alive"

    def age_of(self, process: Process) -> float:
        """Seconds since the sign of life; very many before the first one."""
        file = self.alive_file(process)
        return time.time() - file.stat().st_mtime if file.exists() else float("inf")

    def status(self) -> str:
        return str(httpx.get(f"{self.base_url}/readyz", timeout=10).json()["status"])

    # Metrics

    def scrape(self, name: str = "web") -> "Scrape":
        headers = {}
        address = f"http://{HOST}:{self.metrics_ports.get(name)}/metrics"
        if name == "web":
            address = f"{self.base_url}/metrics"
            headers["Authorization"] = f"Bearer {self.env['METRICS_TOKEN']}"
        answer = httpx.get(address, headers=headers, timeout=10)
        answer.raise_for_status()
        return Scrape(answer.text)

    # Logs

    def events(self, process: Process, after: int = 0) -> list[dict[str, Any]]:
        """The lines of the log from this byte on; raises ValueError for one that is no JSON."""
        text = process.log.read_bytes()[after:].decode()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Scrape:
    """What Prometheus itself would read: its own parser has to take it."""

    def __init__(self, text: str) -> None:
        self.families: dict[str, Metric] = {}
        self.values: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(text):
            assert family.name not in self.families, f"{family.name} is there twice"
            self.families[family.name] = family
            for sample in family.samples:
                self.values[sample.name, frozenset(sample.labels.items())] = sample.value

    def __call__(self, name: str, **labels: str) -> float:
        """The value of one sample; 0 when there is none."""
        return self.values.get((name, frozenset(labels.items())), 0.0)
