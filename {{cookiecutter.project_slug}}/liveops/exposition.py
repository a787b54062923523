"""The metrics of a process, as text for Prometheus."""

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery.signals import beat_init, worker_init, worker_process_init, worker_ready
from prometheus_client import REGISTRY, CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from liveops.conf import conf
from liveops.connections import waiting, watching
from liveops.looks import Look
from liveops.metrics import OPERATIONS, QUEUE_OLDEST, RECORD_UP, WEBSOCKETS, show_zeros
from liveops.models import ACTIVE, FINISHED, kinds
from liveops.queue_state import QueueState, read_queue_state

logger = logging.getLogger(__name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
FILE_OF_A_PROCESS = re.compile(r"_(\d+)\.db$")


# A web server


class SiteCollector(Collector):
    """What the record says, and the sockets of this process."""

    def __init__(self) -> None:
        self._queue = Look(read_queue_state)

    def collect(self) -> Iterator[Metric]:
        sockets = WEBSOCKETS.family()
        sockets.add_metric(["watching"], len(watching))
        sockets.add_metric(["waiting"], len(waiting))
        yield sockets
        state = self._read_queue()
        up = RECORD_UP.family()
        up.add_metric([], int(state is not None))
        yield up
        if state is not None:
            yield from _queue_metrics(state)

    def _read_queue(self) -> QueueState | None:
        try:
            return self._queue.ask().answer()
        except Exception as error:  # noqa: BLE001 (the other metrics are worth having)
            logger.warning("the queue could not be measured: %r", error)
            return None


def _queue_metrics(state: QueueState) -> Iterator[Metric]:
    operations, oldest = OPERATIONS.family(), QUEUE_OLDEST.family()
    # Of kinds that are gone from the code there may be rows still.
    for kind in sorted({*kind_names(), *(kind for kind, _state in state.active)}):
        for each in sorted(ACTIVE):
            operations.add_metric([kind, each], state.active[kind, each])
        oldest.add_metric([kind], state.oldest.get(kind, 0.0))
    yield operations
    yield oldest


def kind_names() -> list[str]:
    return [kind.kind_name() for kind in kinds()]


_site = SiteCollector()


def metrics_of_web_server(accept: str) -> tuple[bytes, str]:
    """The text and its content type, in a format that the `Accept` header names."""
    show_zeros(kind_names(), FINISHED)
    registry = CollectorRegistry()
    registry.register(_site)
    registry.register(REGISTRY)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


# Workers and scheduler


class FamilyCollector(MultiProcessCollector):
    """The sums of what a worker and its children counted; a child that was killed runs nothing."""

    def collect(self) -> Iterable[Metric]:
        folder = os.environ[FOLDER]
        for number in {number for number, _file in files_of_processes(folder)}:
            if not _is_running(number):
                mark_process_dead(number, folder)
        found: Iterable[Metric] = super().collect()
        return found


def files_of_processes(folder: str) -> Iterator[tuple[int, Path]]:
    for file in Path(folder).glob("*.db"):
        if number := FILE_OF_A_PROCESS.search(file.name):
            yield int(number[1]), file


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


class Server:
    """Serves this process's metrics, and its children's, from a thread."""

    def __init__(self) -> None:
        self._socket: Any = None

    def start(self) -> None:
        if not conf.METRICS_ADDRESS:
            return
        show_zeros(kind_names(), FINISHED)
        host, _colon, port = conf.METRICS_ADDRESS.rpartition(":")
        try:
            server, _thread = start_http_server(int(port), host.strip("[]"), _registry())
        except OSError as error:
            # Operations are worth more than figures about them.
            logger.error("no metrics at %s: %s", conf.METRICS_ADDRESS, error)
        else:
            self._socket = server.socket

    def leave(self) -> None:
        """In a child, which would keep the port from the next worker."""
        if self._socket is not None:
            self._socket.close()


def _registry() -> CollectorRegistry:
    if not os.environ.get(FOLDER):
        return REGISTRY
    registry = CollectorRegistry()
    FamilyCollector(registry)
    # The parent's memory and file descriptors.
    ProcessCollector(registry=registry)
    return registry


_server = Server()


@worker_init.connect
@beat_init.connect
def forget_processes_of_before(**_kwargs: Any) -> None:
    """Before there are children: what an earlier worker left in the folder is not this one's."""
    folder = os.environ.get(FOLDER)
    for number, file in files_of_processes(folder) if folder else ():
        if number != os.getpid():
            with suppress(OSError):
                file.unlink()


@worker_ready.connect
@beat_init.connect
def serve(**_kwargs: Any) -> None:
    _server.start()


@worker_process_init.connect
def leave_the_port(**_kwargs: Any) -> None:
    _server.leave()
