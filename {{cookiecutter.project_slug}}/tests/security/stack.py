"""The stack that is attacked: default limits, a group, a key that was rotated, two web servers."""

import json
from pathlib import Path

from tests.databases import Database
from tests.processes import HOST, PYTHON, Process, answers, free_port
from tests.services import Stack

# Whoever uses the site at all, and whoever may use the kind `kinds.guarded`.
SITE_GROUP = "Operators"
OLD_KEY = "the-key-before-the-one-that-signs-now-and-still-good-for-reading-0123456789"
# How often the second web server asks again who is allowed, in seconds.
ASKS_AGAIN_EVERY = 2.0


class SecurityStack(Stack):
    """`web` has the site's default settings; `watchful` serves the same site, asks often whether
    rights have ended, and takes no origin but its own.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self.watchful_port = free_port()
        self.watchful_url = f"http://{HOST}:{self.watchful_port}"
        super().__init__(database, folder, concurrency=1)
        often = {"REVALIDATE_EVERY": ASKS_AGAIN_EVERY, "HEARTBEAT_EVERY": 0.5}
        strict = {
            **self.env,
            "LIVEOPS_JSON": json.dumps(often),
            "LIVEOPS_ALLOWED_ORIGINS": self.watchful_url,
        }
        self.watchful = Process(
            "watchful",
            [
                *[PYTHON, "-m", "daphne", "-b", HOST, "-p", str(self.watchful_port)],
                "config.asgi:application",
            ],
            strict,
            folder,
        )

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            "LIVEOPS_REQUIRED_GROUP": SITE_GROUP,
            "SECRET_KEY_FALLBACKS": OLD_KEY,
        }

    @property
    def processes(self) -> list[Process]:
        return [*super().processes, self.watchful]

    def start(self) -> None:
        super().start()
        self.watchful.start()
        self.watchful.wait_for(lambda: answers(f"{self.watchful_url}/healthz"), "answers /healthz")

    def stop(self) -> None:
        self.watchful.stop(within=5)
        super().stop()

    def logs(self) -> dict[str, str]:
        """Everything that each process has written so far."""
        return {
            process.name: process.log.read_text(encoding="utf-8", errors="replace")
            for process in self.processes
            if process.log.exists()
        }
