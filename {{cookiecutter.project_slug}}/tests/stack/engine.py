"""What runs the containers: Docker where it works, else podman with a storage of its own."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# Images and layers stay here for the next run.
STORAGE = Path(tempfile.gettempdir()) / f"stack-tests-{os.getuid()}"
SYSTEMD = Path("/run/systemd/system")


class Engine:
    """`engine.run("ps")`; `compose` is the command for a whole compose file."""

    def __init__(self, name: str, compose: list[str], env: Mapping[str, str]) -> None:
        self.name = name
        self.compose = compose
        self.env = {**os.environ, **env}

    def run(self, *arguments: str, within: float = 300, given: str | None = None) -> str:
        """What it prints; AssertionError, with what it says, when it fails."""
        done = self.try_to(*arguments, within=within, given=given)
        if done.returncode:
            command = " ".join([self.name, *arguments[:6]])
            raise AssertionError(f"{command} … failed:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def try_to(
        self, *arguments: str, within: float = 300, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.name, *arguments],
            env=self.env,
            stdin=None if given is not None else subprocess.DEVNULL,
            input=given,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def has_image(self, name: str) -> bool:
        return self.try_to("image", "inspect", name).returncode == 0


def succeeds(*command: str, env: Mapping[str, str] | None = None) -> bool:
    if not shutil.which(command[0]):
        return False
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0


def find_engine() -> Engine | str:
    """The engine, or why there is none."""
    if succeeds("docker", "info") and succeeds("docker", "compose", "version"):
        return Engine("docker", ["docker", "compose"], {})
    if not shutil.which("podman"):
        return "neither Docker with its compose plugin nor podman was found"
    env = podman_environment()
    if not succeeds("podman", "info", env={**os.environ, **env}):
        return "podman is there, but `podman info` fails"
    # From PyPI, beside this Python.
    compose = Path(sys.executable).with_name("podman-compose")
    return Engine("podman", [str(compose), "--podman-build-args=--network=host"], env)


def podman_environment() -> dict[str, str]:
    """Root gets a storage of its own, so that nothing else on the machine is touched."""
    if os.getuid() != 0 or "CONTAINERS_STORAGE_CONF" in os.environ:
        return {}
    STORAGE.mkdir(mode=0o700, exist_ok=True)
    for driver in ("overlay", "vfs"):
        env = write_configuration(driver)
        if succeeds("podman", "info", env={**os.environ, **env}):
            break
    return env


def write_configuration(driver: str) -> dict[str, str]:
    places = {"graphroot": STORAGE / driver, "runroot": STORAGE / f"{driver}-run"}
    lines = [f"{name} = {json.dumps(str(place))}" for name, place in places.items()]
    storage, containers = STORAGE / "storage.conf", STORAGE / "containers.conf"
    storage.write_text("\n".join(["[storage]", f'driver = "{driver}"', *lines, ""]))
    _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    engine = ['events_logger = "file"']
    if not SYSTEMD.is_dir():
        engine += ['cgroup_manager = "cgroupfs"', 'runtime = "runc"']
    containers.write_text(
        "\n".join(
            [
                "[containers]",
                f'default_ulimits = ["nofile={most}:{most}", "nproc=4096:4096"]',
                "[engine]",
                *engine,
                "",
            ]
        )
    )
    return {"CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(containers)}
