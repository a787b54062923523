"""What tests of running sites share: free ports, and which processes are left."""

import socket
import time
from pathlib import Path

import httpx
import psutil

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def processes_in(folder: Path) -> list[psutil.Process]:
    """Processes that run from, or were started with, anything below a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            traces = [process.cwd(), process.exe(), *process.cmdline()]
        except psutil.Error:
            continue
        if any(str(folder) in trace for trace in traces):
            found.append(process)
    return found


def assert_nothing_runs_in(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while left := processes_in(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def answers_healthz(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
