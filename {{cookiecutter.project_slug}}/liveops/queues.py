"""Which of Celery's queues the messages of a kind go to, and who takes them from there."""

from typing import Any

from celery import current_app
from celery.signals import celeryd_init

from liveops.models import LiveOperation, kind_class, kinds


def queue_of(operation: LiveOperation) -> str | None:
    """The queue that its kind names; None: Celery's default one."""
    kind = kind_class(operation.kind)
    return (kind.queue or None) if kind else None


def queues_of_kinds() -> dict[str, list[str]]:
    """Each queue that a kind names → the names of these kinds."""
    found: dict[str, list[str]] = {}
    for kind in kinds():
        if kind.queue:
            found.setdefault(kind.queue, []).append(kind.kind_name())
    return found


@celeryd_init.connect
def take_from_all(**_kwargs: Any) -> None:
    """A worker that is not told `--queues` takes from every queue that a kind needs."""
    known = current_app.amqp.queues
    for name in queues_of_kinds():
        known.select_add(known[name])
