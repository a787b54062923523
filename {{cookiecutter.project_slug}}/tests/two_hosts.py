"""A site on two hosts that share nothing but services: a pool, sentinels and a bucket."""

import os
from pathlib import Path

import psutil

from tests.faults.stack import SentinelStack
from tests.object_store import ObjectStore
from tests.pgbouncer import PooledPostgres
from tests.processes import Process, answers, free_port, wait_until


class Host:
    """A web server and a worker, with a folder of their own for whatever they write."""

    def __init__(self, web: Process, worker: Process, base_url: str) -> None:
        self.web = web
        self.worker = worker
        self.base_url = base_url

    def start(self) -> None:
        ready = self._ready_lines()
        for process in (self.web, self.worker):
            process.start()
        self.web.wait_for(lambda: answers(f"{self.base_url}/healthz"), "answers /healthz", 60)
        self.worker.wait_for(lambda: self._ready_lines() > ready, "takes messages", 60)

    def lose(self) -> None:
        """As when its power is cut."""
        for process in (self.web, self.worker):
            process.kill()

    def runs(self, worker: str) -> bool:
        """Whether this `worker` of an operation is one of its processes."""
        number = int(worker.rpartition(":")[2])
        return number in {child.pid for child in psutil.Process(self.worker.pid).children()}

    def _ready_lines(self) -> int:
        log = self.worker.log
        return log.read_text(encoding="utf-8").count(" ready.") if log.exists() else 0


class TwoHosts(SentinelStack):
    def __init__(self, folder: Path) -> None:
        self.store = ObjectStore(lambda name, command: Process(name, command, os.environ, folder))
        super().__init__(PooledPostgres(), folder)
        self.first = Host(self.web, self.worker, self.base_url)
        self.second = self._second()
        self.hosts = (self.first, self.second)

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **self.store.env, "DATABASE_POOLED": "1"}

    def _second(self) -> Host:
        folder = self.folder / "second"
        port = free_port()
        web = [str(port) if part == str(self.port) else part for part in self.web.command]
        worker = [*self.worker.command, "--hostname", "second@%h"]
        env = {**self.env, "VAR_DIR": str(folder)}
        return Host(
            Process("web-2", web, env, self.folder),
            Process("worker-2", worker, env, self.folder),
            self.base_url.replace(str(self.port), str(port)),
        )

    @property
    def processes(self) -> list[Process]:
        return [self.store.process, *super().processes, self.second.web, self.second.worker]

    def start(self) -> None:
        self.store.start()
        super().start()
        # The image of a container brings them.
        (self.folder / "second").mkdir()
        (self.folder / "second" / "static").symlink_to(self.folder / "static")
        self.second.start()

    def heal(self) -> None:
        for host in self.hosts:
            if not host.web.is_running or not host.worker.is_running:
                host.lose()
                host.start()
        super().heal()
        wait_until(lambda: all(answers(f"{host.base_url}/healthz") for host in self.hosts), "both")
