#!/usr/bin/env python
"""Runs the whole site on this machine, in one terminal: Redis, migrations, web, worker, beat.

Python code is read once: after a change, press Ctrl-C and start again.
"""

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from honcho.manager import Manager

from config.embedded_redis import HOST, embedded_redis

BASE_DIR = Path(__file__).resolve().parent
PYTHON = sys.executable
READY_WITHIN_SECONDS = 60


class Runner(Manager):
    """Ends all processes when one ends, and remembers which one that was."""

    first_to_end = ""

    def terminate(self) -> None:
        if self._all_started():
            super().terminate()
        else:  # a process that has not told its id yet cannot be ended
            threading.Timer(0.1, self.terminate).start()

    def _any_stopped(self) -> bool:
        if not self.first_to_end and self.returncode is not None:
            ended = [name for name, process in self._processes.items() if "returncode" in process]
            self.first_to_end = ended[0] if ended else ""
        return bool(super()._any_stopped())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8000, help="where the site is served (default: 8000)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="operations that run at a time (default: 2)"
    )
    return parser.parse_args()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As Daphne does: the last run's closed connections do not occupy the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def say_when_ready(url: str) -> None:
    for _ in range(READY_WITHIN_SECONDS * 5):
        try:
            with urllib.request.urlopen(f"{url}healthz", timeout=2):  # noqa: S310
                print(f"\n  The site is ready: {url}  (Ctrl-C stops everything)\n", flush=True)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


def environment(redis_port: int) -> dict[str, str]:
    redis_url = f"redis://{HOST}:{redis_port}/0"
    return {
        "DEBUG": "1",
        **os.environ,
        "REDIS_URL": redis_url,
        "BROKER_URL": redis_url,
        "PYTHONUNBUFFERED": "1",
    }


def build_runner(port: int, workers: int, redis_port: int, env: dict[str, str]) -> Runner:
    redis = embedded_redis(redis_port, str(BASE_DIR / env.get("VAR_DIR", "var")))
    print(f"Redis: {redis.label}", flush=True)
    celery = [PYTHON, "-m", "celery", "--quiet", "--app", "config"]
    alone = ["--without-gossip", "--without-mingle"]
    commands = {
        "redis": redis.command,
        "web": [PYTHON, "-m", "daphne", "-b", HOST, "-p", str(port), "config.asgi:application"],
        "worker": [*celery, "worker", "--pool", "prefork", "--concurrency", str(workers), *alone],
        "beat": [*celery, "beat", "--pidfile="],
    }
    runner = Runner()
    for name, command in commands.items():
        # Without exec, a shell would stand between the runner and the process it is to end.
        runner.add_process(name, f"exec {shlex.join(command)}", env=env, cwd=str(BASE_DIR))
    return runner


def stop(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> int:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if not is_free(arguments.port):
        return refuse(
            f"Port {arguments.port} is taken by another program. "
            f"Choose another one: python dev.py --port {arguments.port + 1}, "
            f"or make run PORT={arguments.port + 1}"
        )
    redis_port = free_port()
    env = environment(redis_port)
    migrate = [PYTHON, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    if subprocess.run(migrate, cwd=BASE_DIR, env=env, check=False).returncode:
        return refuse("The database could not be brought up to date: see the message above.")
    runner = build_runner(arguments.port, arguments.workers, redis_port, env)
    url = f"http://{HOST}:{arguments.port}/"
    threading.Thread(target=say_when_ready, args=[url], daemon=True).start()
    runner.loop()
    if runner.returncode in {128 + signal.SIGINT, 128 + signal.SIGTERM}:
        return 0
    return refuse(
        f"{runner.first_to_end} ended by itself, so everything was stopped: "
        "see its last lines above. Start again with: make run"
    )


def refuse(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
