"""Who is measured: each with a web server, a worker, a Redis and a driver of its own."""

import asyncio
import http.client
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.drivers import Driver, NoDriver
from benchmarks.environments import environment, run
from benchmarks.places import BUILD, HOST, INSIDE, PEERS, RUN, SITE
from benchmarks.postgres import Postgres
from benchmarks.processes import Process, accepts, free_port
from benchmarks.programs import redis_options
from benchmarks.watchers import FloorWatcher, PeerWatcher, SiteWatcher, Watcher

WORKER = ["worker", "--pool", "prefork", "--loglevel", "WARNING"]
# Other workers to talk with would only cost a second at each start.
ALONE = ["--without-gossip", "--without-mingle"]
START_WITHIN = 60.0
FIRST_PLAN = {"lines": 20, "gate": "/"}


class Contender:
    """A site that runs. `key` names it in the code, `title` in the results."""

    key = title = ""
    project: Path
    # Whether it keeps the log, so that it can be compared with what was reported.
    records = False
    celery_app = "celery_app"
    driver_module = "driver"
    # So many runs go on at a time.
    worker_processes = 1

    def __init__(self, python: Path, redis: str, postgres: Postgres) -> None:
        self.python = python
        self.postgres = postgres
        self.folder = RUN / self.key
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.redis_port = free_port(), free_port()
        self.redis_url = f"redis://{HOST}:{self.redis_port}/0"
        self.env: dict[str, str] = {}
        # What was remarkable beside the figures.
        self.notes: list[str] = []
        self.headers: dict[str, str] = {}
        self.driver: Driver | NoDriver = NoDriver()
        self.redis_command = [redis, *redis_options(self.redis_port, self.folder)]

    async def settings(self) -> dict[str, str]:
        """The environment variables that the project reads."""
        return {}

    async def prepare(self) -> None:
        """Make tables and files."""

    def web_command(self) -> list[str]:
        return ["-m", "daphne", "-b", HOST, "-p", str(self.port), self.application]

    @property
    def application(self) -> str:
        return "asgi:application"

    async def start(self) -> None:
        self.env = environment(REDIS_URL=self.redis_url, **await self.settings())
        self.redis = self._process("redis", self.redis_command)
        self.web = self._process("web", [self.python, *self.web_command()])
        celery = ["-m", "celery", "--quiet", "--app", self.celery_app]
        children = ["--concurrency", str(self.worker_processes)]
        self.worker = self._process("worker", [self.python, *celery, *WORKER, *children, *ALONE])
        self.driver = self.make_driver(self.env)
        await self.prepare()
        self.redis.start()
        await self.redis.wait_for(lambda: accepts(self.redis_port), "accepts connections")
        self.web.start()
        self.worker.start()
        await self.driver.start(self.folder / "driver.log")
        await self.sign_in()
        await self.web.wait_for(lambda: accepts(self.port), "accepts connections", START_WITHIN)
        await self.warm_up()

    def make_driver(self, env: Mapping[str, str]) -> Driver:
        command: list[str | Path] = [self.python, "-m", "bench_driver", self.driver_module]
        return Driver(command, cwd=self.project, env=env)

    async def sign_in(self) -> None:
        cookies = await self.driver.call("sign_in")
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Origin": f"http://{HOST}:{self.port}",
        }

    async def warm_up(self) -> None:
        """The first operation is slow everywhere."""
        operation = await self.driver.call("start", plan=FIRST_PLAN)
        await self.outcome(operation, within=START_WITHIN)

    @property
    def processes(self) -> list[Process]:
        return [
            process for name in ("web", "worker", "redis") if (process := getattr(self, name, None))
        ]

    def stop(self) -> None:
        self.driver.kill()
        for process in self.processes:
            process.ask_to_end()
        for process in self.processes:
            process.stop()

    async def restart_web(self) -> None:
        """For a server whose memory no earlier measurement has shaped."""
        self.web.stop()
        self.web.start()
        await self.web.wait_for(lambda: accepts(self.port), "accepts connections", START_WITHIN)

    async def outcome(self, operation: str, *, within: float) -> dict[str, Any]:
        """Wait until the operation has ended; return what its run measured of itself."""
        end = asyncio.get_running_loop().time() + within
        while True:
            found: dict[str, Any] = await self.driver.call("outcome", id=operation)
            if found["finished"] and found["result"] is not None:
                return dict(found["result"])
            if found["finished"] or asyncio.get_running_loop().time() > end:
                raise RuntimeError(f"{self.title}: {found['state']}, {found['error']}")
            await asyncio.sleep(0.1)

    def watcher(self, token: str) -> Watcher:
        raise NotImplementedError

    def gate(self) -> Path:
        """A path that no operation was given before."""
        return self.folder / f"gate-{secrets.token_hex(6)}"

    def cpu_seconds(self) -> float:
        """Of everything that works for this contender."""
        own = sum(process.cpu_seconds() for process in self.processes)
        return own + self.postgres.cpu_seconds()

    def get(self, path: str) -> str:
        """A page, as the signed-in user sees it."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        try:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            body = answer.read().decode()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"{self.title}: {path} is answered with {answer.status}")
            return body
        finally:
            connection.close()

    async def manage(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        await run(self.python, "-m", "django", *arguments, cwd=self.project, env=env or self.env)

    def _process(self, name: str, command: Sequence[str | Path]) -> Process:
        return Process(name, command, folder=self.folder, cwd=self.project, env=self.env)


class GeneratedSite(Contender):
    """The site that this template makes, with its own settings but for the limits on users."""

    project = SITE
    records = True
    celery_app = "config"
    driver_module = "bench_site"

    @property
    def application(self) -> str:
        return "config.asgi:application"

    async def database_url(self) -> str:
        return await self.postgres.create(self.key)

    async def settings(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "bench_settings",
            "HTTPS": "0",
            "ALLOWED_HOSTS": HOST,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DATABASE_URL": await self.database_url(),
            "BROKER_URL": self.redis_url,
            "VAR_DIR": str(self.folder),
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": f"{INSIDE}:{SITE}",
        }

    async def prepare(self) -> None:
        await self.manage("migrate", "--verbosity", "0")
        await self.manage("collectstatic", "--no-input", "--verbosity", "0")

    def watcher(self, token: str) -> Watcher:
        return SiteWatcher(f"ws://{HOST}:{self.port}/ws/liveops/", self.headers, token)


class SiteOnPostgres(GeneratedSite):
    key, title = "ours", "this template (PostgreSQL)"


class SiteOnSqlite(GeneratedSite):
    key, title = "ours_sqlite", "this template (SQLite)"

    async def database_url(self) -> str:
        file = self.folder / "db.sqlite3"
        for name in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
            name.unlink(missing_ok=True)
        return f"sqlite:///{file}"


class DjangoLiveops(Contender):
    """django-liveops, in the two ways in which its messages may travel."""

    project = PEERS / "django_liveops"
    layer = ""

    async def settings(self) -> dict[str, str]:
        await self.postgres.create(self.key)
        return {
            "DJANGO_SETTINGS_MODULE": "settings",
            "DATABASE_PORT": str(self.postgres.port),
            "DATABASE_NAME": self.key,
            "CHANNEL_LAYER": self.layer,
            "PYTHONPATH": f"{INSIDE}:{self.project}",
        }

    async def prepare(self) -> None:
        await self.manage("migrate", "--verbosity", "0")
        # The benchmark's own operations have no migrations.
        await self.manage("migrate", "--run-syncdb", "--verbosity", "0")

    def watcher(self, token: str) -> Watcher:
        query = urlencode({"subscription_token": token})
        return PeerWatcher(f"ws://{HOST}:{self.port}/asgi/notifications/?{query}", self.headers, "")


class DjangoLiveopsCore(DjangoLiveops):
    key, title, layer = "peer_core", "django-liveops (core layer)", "core"


class DjangoLiveopsPubSub(DjangoLiveops):
    key, title, layer = "peer_pubsub", "django-liveops (pub/sub layer)", "pubsub"


class CeleryProgress(Contender):
    """celery-progress, polled over HTTP."""

    key, title = "polling", "celery-progress (Daphne)"
    project = PEERS / "celery_progress"

    async def settings(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": f"{INSIDE}:{self.project}",
        }

    async def sign_in(self) -> None:
        """Whoever knows the task's id may look."""


class CeleryProgressGunicorn(CeleryProgress):
    """The same behind a server without asyncio, which spends less on a short request."""

    key, title = "polling_wsgi", "celery-progress (gunicorn)"

    def web_command(self) -> list[str]:
        threads = ["--worker-class", "gthread", "--threads", "4", "--log-level", "warning"]
        where = ["--bind", f"{HOST}:{self.port}", "--control-socket", str(self.folder / "control")]
        return ["-m", "gunicorn", *threads, *where, "wsgi:application"]


class Floor(Contender):
    """Nothing but the parts: Redis, and Daphne with an application that only accepts."""

    key, title = "floor", "floor"
    project = BUILD

    @property
    def application(self) -> str:
        return "bench_floor:application"

    async def start(self) -> None:
        self.env = environment()
        self.redis = self._process("redis", self.redis_command)
        self.web = self._process("web", [self.python, *self.web_command()])
        self.redis.start()
        self.web.start()
        await self.redis.wait_for(lambda: accepts(self.redis_port), "accepts connections")
        await self.web.wait_for(lambda: accepts(self.port), "accepts connections")

    async def publish(self) -> str:
        program = INSIDE / "bench_floor.py"
        return await run(self.python, program, str(self.redis_port), cwd=BUILD, env=self.env)

    def watcher(self, token: str) -> Watcher:
        return FloorWatcher(f"ws://{HOST}:{self.port}/", {}, "")
