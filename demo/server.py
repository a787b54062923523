"""Runs the site's own runner, and ends it with everything it started."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the web server does: a port is free although connections of the last run linger.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def on_ending_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def is_serving(port: int) -> bool:
    # Not urllib, which would ask a proxy that the environment names.
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def serve(
    command: list[str], folder: Path, env: dict[str, str], port: int, announce: Callable[[], None]
) -> int:
    """Run the site until it ends or this process is told to end; announce it once it answers."""
    told_to_end: list[int] = []
    # A handler that raised could lose a process that is just being started.
    on_ending_signals(lambda number, frame: told_to_end.append(number))
    # In a session of its own it gets one signal, from here, and not a second one with Ctrl-C.
    process = subprocess.Popen(command, cwd=folder, env=env, start_new_session=True)
    announced = False
    while process.poll() is None and not told_to_end:
        if not announced and is_serving(port):
            announce()
            announced = True
        time.sleep(0.1)
    stop(process)
    return 0 if told_to_end else process.returncode


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
