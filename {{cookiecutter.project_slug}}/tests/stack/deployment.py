"""A copy of the site, deployed as docs/deploy.md says, with the commands that it names."""

import json
import os
import re
import resource
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.client import SiteClient
from tests.processes import SITE, free_port, wait_until
from tests.stack.engine import Engine

ADDED = Path(__file__).parent / "added"
PROJECT = "stacktest"
NAME = 'Größe & "Co"'
PASSWORD = secrets.token_urlsafe(16)
SERVICES = ("proxy", "web", "worker", "beat", "broker", "cache", "postgres", "backup")
NOT_COPIED = shutil.ignore_patterns(
    ".env", ".venv", "__pycache__", "backups", "var", ".hypothesis", ".git", "tests"
)
WANTED_FILES = 65536

ADD_USERS = """
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
User = get_user_model()
password = make_password({password!r})
for name in {names!r}:
    User.objects.create(username=name, password=password)
"""
# What is to be the same after a restore: all operations with their ends, logs and files.
RECORD = """
import hashlib, json
from pathlib import Path
from django.conf import settings
from liveops.models import LiveOperation
from liveops.record import Log
rows = {}
for row in LiveOperation.objects.order_by("pk"):
    logs = [[line.text for line in Log(row, n)] for n in range(1, row.attempt + 1)]
    rows[str(row.pk)] = {"kind": row.kind, "state": row.state, "attempt": row.attempt, "logs": logs}
root = Path(settings.MEDIA_ROOT)
files = {
    str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in sorted(root.rglob("*")) if path.is_file()
}
print(json.dumps({"operations": rows, "files": files}))
"""


class Deployment:
    """`make("up")` starts it; `containers("web")`, `kill(…)` and so on break it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.http_port, self.https_port = free_port(), free_port()
        self.base_url = f"https://localhost:{self.https_port}"
        self.notes: list[str] = []
        self._authority = ""

    def copy_site(self) -> None:
        shutil.copytree(SITE, self.folder, ignore=NOT_COPIED, dirs_exist_ok=True)
        (self.folder / "var").mkdir()
        for file in ADDED.iterdir():
            if file.suffix == ".py":
                shutil.copy(file, self.folder / "operations")
        development = {**os.environ, "DEBUG": "1", "VAR_DIR": "", "SECRET_KEY": ""}
        development.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run(
            [sys.executable, "manage.py", "makemigrations", "operations"],
            cwd=self.folder,
            env=development,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def configure(self, **variables: str) -> None:
        """Writes `.env` as a generated site has it, with its secrets still empty."""
        text = (self.folder / ".env.example").read_text(encoding="utf-8")
        # Not yet rendered, where this is the template's own folder.
        text = re.sub(r"^\w+=.*\{\{.*$\n", "", text, flags=re.MULTILINE)
        own = {
            "SITE_NAME": '"' + NAME.replace('"', '\\"') + '"',
            "DOMAIN_NAME": "localhost",
            "ADMIN_EMAIL": "admin@localhost",
            "COMPOSE_PROJECT_NAME": PROJECT,
            # So that runs are handed back in a deploy, and not waited for.
            "WORKER_DRAIN_SECONDS": "5",
            "HTTP_PORT": str(self.http_port),
            "HTTPS_PORT": str(self.https_port),
            **variables,
        }
        text += "".join(f"{name}={value}\n" for name, value in own.items())
        (self.folder / ".env").write_text(text, encoding="utf-8")
        self._allow_fewer_files()

    def _allow_fewer_files(self) -> None:
        _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if self.engine.name == "docker" or most >= WANTED_FILES:
            return
        # Whoever says one limit has to say them all to podman.
        fewer = {"ulimits": {"nofile": most, "nproc": 4096}}
        services = dict.fromkeys(("proxy", "web", "broker", "cache"), fewer)
        (self.folder / "compose.override.yaml").write_text(json.dumps({"services": services}))
        self.notes.append(f"this machine allows {most} open files instead of {WANTED_FILES}")

    def make(self, *arguments: str, within: float = 900) -> str:
        """`make up` and the like, as people call them."""
        compose = " ".join(self.engine.compose)
        done = subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=self.folder,
            env=self._environment({"COMPOSE": compose}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        if done.returncode:
            raise AssertionError(
                f"make {' '.join(arguments)} ended with {done.returncode}:\n"
                f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
            )
        return done.stdout

    @contextmanager
    def development(self, port: int) -> Iterator[None]:
        """`make dev`, in the foreground until it is told to end as by Ctrl-C."""
        compose = " ".join(self.engine.compose)
        log = self.folder.parent / "development.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["make", "--no-print-directory", "dev", f"PORT={port}"],
                cwd=self.folder,
                env=self._environment({"COMPOSE": compose}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
        except AssertionError as error:
            error.add_note(log.read_text(encoding="utf-8", errors="replace")[-5000:])
            raise
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(120)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the tests' own settings, which would count more than `.env`."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_RUNTIME_DIR")
        own = {name: self.engine.env[name] for name in kept if name in self.engine.env}
        engine = {
            name: value
            for name, value in self.engine.env.items()
            if name.startswith(("CONTAINERS_", "DOCKER_"))
        }
        return {**own, **engine, **more}

    # Containers

    def containers(self, service: str, *, also_ended: bool = False) -> list[str]:
        """Their ids."""
        labels = {"project": PROJECT, "service": service}
        filters = [f"--filter=label=com.docker.compose.{key}={of}" for key, of in labels.items()]
        every = ["--all"] if also_ended else []
        return self.engine.run("ps", "--quiet", "--no-trunc", *every, *filters).split()

    def kill(self, service: str) -> None:
        """One of its containers, with SIGKILL."""
        victim = self.containers(service)[0]
        self.engine.run("kill", "--signal", "KILL", victim)

    def start_again(self, service: str) -> None:
        """Those that ended; Docker's daemon does it by itself, or the start of the machine."""
        for container in self.containers(service, also_ended=True):
            self.engine.run("start", container)

    def restart(self, service: str) -> None:
        for container in self.containers(service):
            self.engine.run("restart", "--time", "30", container)

    def logs(self, lines: int = 40) -> str:
        texts = []
        for service in SERVICES:
            for container in self.containers(service, also_ended=True):
                done = self.engine.try_to("logs", "--tail", str(lines), container)
                texts.append(f"--- {service} {container[:12]}\n{done.stdout}{done.stderr}")
        return "\n".join(texts)

    def image_size(self) -> int:
        """In bytes."""
        image = f"{PROJECT}-site:current"
        return int(self.engine.run("image", "inspect", "--format", "{{.Size}}", image))

    def destroy(self) -> None:
        """All containers and all volumes; images stay."""
        for project in (PROJECT, f"{PROJECT}-development"):
            mine = f"label=com.docker.compose.project={project}"
            containers = self.engine.run("ps", "--all", "--quiet", "--filter", mine).split()
            if containers:
                self.engine.run("rm", "--force", "--volumes", *containers)
            for kind in ("volume", "network"):
                command = [kind, "ls", "--format", "{{.Name}}"]
                for name in self.engine.run(*command).split():
                    if name.startswith(f"{project}_"):
                        self.engine.run(kind, "rm", name)

    # The site, from within and as people see it

    def shell(self, code: str) -> str:
        """Python within a web container, with Django set up; gives what it prints."""
        command = ["python", "manage.py", "shell", "--verbosity", "0", "-c", code]
        return self.engine.run("exec", self.containers("web")[-1], *command, within=120)

    def add_users(self, *names: str) -> None:
        self.shell(ADD_USERS.format(password=PASSWORD, names=names))

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.shell(RECORD).splitlines()[-1])
        return record

    def operation(self, operation_id: str) -> dict[str, Any]:
        row: dict[str, Any] = self.record()["operations"][operation_id]
        return row

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts the authority that Caddy made for localhost, and no other one."""
        if not self._authority:
            path = "/data/caddy/pki/authorities/local/root.crt"
            self._authority = self.engine.run("exec", self.containers("proxy")[0], "cat", path)
        return ssl.create_default_context(cadata=self._authority)

    def forget_authority(self) -> None:
        self._authority = ""

    def client(self) -> SiteClient:
        return SiteClient(self.base_url, self.tls)

    def is_ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.base_url}/readyz", verify=self.tls, timeout=10)
        except (httpx.HTTPError, AssertionError, IndexError):
            return False
        return answer.status_code == 200 and answer.json()["status"] == "ready"

    def wait_until_ready(self, within: float = 120) -> None:
        wait_until(self.is_ready, "/readyz says ready", within)
