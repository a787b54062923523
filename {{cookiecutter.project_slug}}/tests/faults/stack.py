"""A stack with short times, and the faults that can be done to it."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError

from liveops.models import LiveOperation
from tests.databases import Database
from tests.processes import HOST, Process, wait_until
from tests.sentinels import RedisWithSentinels
from tests.services import Stack

# Seconds, so that a test need not wait half a minute for what production waits for.
SHORT_TIMES: dict[str, Any] = {
    "HEARTBEAT_EVERY": 1.0,
    "LOST_AFTER": 6.0,
    "RESEND_AFTER": 4.0,
    "CANCEL_GRACE": 2.0,
    "TOKEN_TTL": 20,
}
SWEEP_EVERY = 10.0
DRAIN_SECONDS = 5.0


class FaultStack(Stack):
    """Every fault leaves the stack whole again, or says that it does not."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder, concurrency=2)

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            # One person stands for all who watch.
            "LIVEOPS_JSON": json.dumps({**SHORT_TIMES, "MAX_CONNECTIONS_PER_USER": 1_000}),
            # As in production: SIGTERM lets runs finish for so long, and then hands them back.
            "REMAP_SIGTERM": "SIGQUIT",
            "WORKER_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }

    def heal(self) -> None:
        """Starts whatever a test left dead, so that the next one finds the site whole."""
        if not self.redis.is_running:
            self.start_redis()
        if not self.web.is_running:
            self.web.start()
        self.wait_until_serving()
        if not self.beat.is_running:
            self.beat.start()
        if not self.worker.is_running:
            self.start_worker()

    # Redis

    def stop_redis(self) -> None:
        self.redis.stop()

    def restart_redis(self) -> None:
        """It keeps nothing, as if its disk were gone."""
        self.stop_redis()
        self.start_redis()

    def flush_redis(self) -> None:
        with Redis(host=HOST, port=self.redis_port) as redis:
            redis.flushall()

    def redis_forgot(self) -> bool:
        """Whether no key is left."""
        try:
            with Redis(host=HOST, port=self.redis_port) as redis:
                return not redis.dbsize()
        except RedisError:
            return True

    # The worker

    def start_worker(self) -> None:
        before = self._ready_lines()
        self.worker.start()
        self.worker.wait_for(lambda: self._ready_lines() > before, "takes messages")

    def kill_worker(self) -> None:
        """Parent and children, with SIGKILL."""
        self.worker.kill()

    def shut_worker_down(self, within: float) -> float:
        """Asks it to end, as a deploy does; gives the seconds until it has ended by itself."""
        began = time.monotonic()
        self.worker.signal(signal.SIGTERM)
        wait_until(lambda: not self.worker.is_running, "the worker ends by itself", within)
        return time.monotonic() - began

    def kill_child_of(self, operation_id: str) -> float:
        """Kills the process that runs the operation; gives the Unix time of that."""
        worker = LiveOperation.objects.values_list("worker", flat=True).get(pk=operation_id)
        os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
        return time.time()

    def worker_children(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.worker.pid).children()]

    def _ready_lines(self) -> int:
        if not self.worker.log.exists():
            return 0
        return self.worker.log.read_text(encoding="utf-8", errors="replace").count(" ready.")

    # The web server

    def deploy_web(self, application: str) -> None:
        """Ends the web server and starts another version of it at the same address."""
        self.web.stop()
        self.web.command[-1] = application
        self.web.start()
        wait_until(self.serves, "the web server answers /healthz", within=60)

    def restart_web(self) -> None:
        self.restart(self.web)
        wait_until(self.serves, "the web server answers /healthz", within=60)


class SentinelStack(FaultStack):
    """Its Redis is a master with a replica, and sentinels that say which of the two it is."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.servers = RedisWithSentinels(
            folder, lambda name, command: Process(name, command, os.environ, folder)
        )
        super().__init__(database, folder)
        self.redis = self.servers.servers[0]

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **self.servers.env}

    @property
    def processes(self) -> list[Process]:
        return [*self.servers.processes, self.web, self.worker, self.beat]

    def start_redis(self) -> None:
        self.servers.start()

    def heal(self) -> None:
        self.servers.heal()
        super().heal()
