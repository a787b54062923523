"""The driver of the site for celery-progress: starts and inspects tasks."""

from typing import Any

import celery_app


def start(plan: dict[str, Any]) -> str:
    return str(celery_app.job.delay(plan).id)


def outcome(id: str) -> dict[str, Any]:
    found = celery_app.app.AsyncResult(id)
    failed = found.failed()
    return {
        "state": found.state,
        "finished": found.ready(),
        "result": found.result if found.successful() else None,
        "error": str(found.result) if failed else "",
    }


COMMANDS = [start, outcome]
