"""A stack: the whole site as real processes, as in production, on ports and files of its own."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings

from config.embedded_redis import embedded_redis
from tests.databases import Database
from tests.processes import HOST, PYTHON, SITE, Process, accepts, answers, free_port, wait_until

CELERY = [PYTHON, "-m", "celery", "--quiet", "--app", "config"]

# Other workers to talk with would only cost a second at each start.
ALONE = ["--without-gossip", "--without-mingle"]
PREPARATIONS = ("migrate", "collectstatic")


class Stack:
    """Redis, Daphne, a Celery prefork worker and beat, recording in `database`.

    `redis`, `web`, `worker` and `beat` are `Process`es that a test may stop, kill and start again,
    if it leaves them running: other tests go on with them.
    """

    def __init__(self, database: Database, folder: Path, concurrency: int = 2) -> None:
        self.database = database
        self.folder = folder
        self.port = free_port()
        self.redis_port = free_port()
        self.base_url = f"http://{HOST}:{self.port}"
        self.ws_url = f"ws://{HOST}:{self.port}/ws/liveops/"
        self.redis_url = f"redis://{HOST}:{self.redis_port}/0"
        self.env = self._environment()
        self.redis = self._process("redis", embedded_redis(self.redis_port, str(folder)).command)
        self.web = self._process(
            "web",
            [PYTHON, "-m", "daphne", "-b", HOST, "-p", str(self.port), "config.asgi:application"],
        )
        worker = ["worker", "--pool", "prefork", "--concurrency", str(concurrency)]
        self.worker = self._process("worker", [*CELERY, *worker, *ALONE])
        self.beat = self._process("beat", [*CELERY, "beat", "--pidfile="])

    def _environment(self) -> dict[str, str]:
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "tests.stack_settings",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "DEBUG": "0",
            "HTTPS": "0",
            "SECRET_KEY": settings.SECRET_KEY,
            "ALLOWED_HOSTS": f"{HOST},localhost",
            "SITE_NAME": "Test site",
            "ADMIN_EMAIL": "admin@example.org",
            "ADMIN_PATH": "admin/",
            "TIME_ZONE": "UTC",
            "SESSION_HOURS": "",
            "SIGN_IN_FAILURES": "",
            "SIGN_IN_PAUSE_MINUTES": "",
            "LIVEOPS_REQUIRED_GROUP": "",
            "LIVEOPS_ALLOWED_ORIGINS": "",
            "DATABASE_URL": self.database.url,
            "DATABASE_POOLED": "",
            "REDIS_URL": self.redis_url,
            "BROKER_URL": self.redis_url,
            "REDIS_SENTINELS": "",
            "REDIS_SENTINEL_PASSWORD": "",
            "VAR_DIR": str(self.folder),
            "MEDIA_ROOT": "",
            "MEDIA_BUCKET": "",
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "line",
            "ALIVE_FILE": "",
            "METRICS_TOKEN": settings.METRICS_TOKEN,
            "WORKER_METRICS": "",
            "PROMETHEUS_MULTIPROC_DIR": "",
            "SENTRY_DSN": "",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        }

    def _process(self, name: str, command: list[str]) -> Process:
        return Process(name, command, self.env, self.folder)

    @property
    def processes(self) -> list[Process]:
        return [self.redis, self.web, self.worker, self.beat]

    def start(self) -> None:
        self.database.start()
        self.start_redis()
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(self.manage, name, "--noinput") for name in PREPARATIONS]:
                done.result()
        for process in (self.web, self.worker, self.beat):
            process.start()
        self.web.wait_for(self.serves, "answers /healthz")
        self.worker.wait_for(lambda: " ready." in self.worker.log_tail(), "takes messages")

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop(within=5)
        self.database.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_redis(self) -> None:
        self.redis.start()
        self.redis.wait_for(lambda: accepts(self.redis_port), "accepts connections")

    def restart(self, process: Process) -> None:
        """Ends `process` with SIGTERM and starts it again, without waiting until it serves."""
        process.stop()
        process.start()

    def serves(self) -> bool:
        return answers(f"{self.base_url}/healthz")

    def wait_until_serving(self) -> None:
        wait_until(self.serves, "the web server answers /healthz")

    def manage(self, *arguments: str) -> str:
        """Runs `manage.py` within the stack's environment; gives what it prints."""
        done = subprocess.run(
            [PYTHON, "manage.py", *arguments],
            cwd=SITE,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout

    def log_tails(self) -> dict[str, str]:
        logs = {process.name: process.log_tail() for process in self.processes}
        return {**logs, "database": self.database.log_tail()}
