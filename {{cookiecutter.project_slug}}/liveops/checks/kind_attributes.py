"""Whether each kind says things about itself that can be meant."""

import re
from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.db import models

from liveops.models import LiveOperation, kinds
from liveops.models.kind import Kind

# Celery's `--queues` separates names by commas, and its messages in Redis have keys of these names.
QUEUE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
TAKEN_IN_REDIS = {"unacked", "unacked_index", "unacked_mutex"}
ATTRIBUTES = {name for name in vars(Kind) if not name.startswith("_") and name != "objects"}


@checks.register(checks.Tags.models)
def check_kinds(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for kind in kinds():
        yield from check_fields(kind)
        yield from check_values(kind)


def check_fields(kind: type[LiveOperation]) -> Iterator[checks.CheckMessage]:
    """A field takes the place of an attribute that has its name."""
    for field in kind._meta.local_fields:
        if field.name in ATTRIBUTES:
            yield checks.Error(
                f"{kind.__name__} has a field {field.name!r}, as an attribute of kinds is named.",
                hint=f"Give the field another name, such as {field.name}_given.",
                obj=kind,
                id="liveops.E030",
            )


def check_values(kind: type[LiveOperation]) -> Iterator[checks.CheckMessage]:
    if not isinstance(kind.max_running, int) or kind.max_running < 0:
        yield checks.Error(
            f"{kind.__name__}.max_running is {kind.max_running!r}.",
            hint="Set it to how many may run at a time, or to 0 for no limit.",
            obj=kind,
            id="liveops.E031",
        )
    queue = kind.queue
    if queue != "" and not (
        isinstance(queue, str) and QUEUE.fullmatch(queue) and queue not in TAKEN_IN_REDIS
    ):
        yield checks.Error(
            f"{kind.__name__}.queue is {queue!r}.",
            hint="Set it to a name of up to 100 small letters, digits and . _ - that begins with "
            f"a letter or a digit, and is none of {', '.join(sorted(TAKEN_IN_REDIS))}; or leave "
            "it out for Celery's default queue.",
            obj=kind,
            id="liveops.E033",
        )
    files = {field.name for field in kind._meta.fields if isinstance(field, models.FileField)}
    for name in kind.downloads:
        if name not in files:
            yield checks.Error(
                f"{kind.__name__}.downloads names {name!r}, which is no file field of it.",
                hint=f"Its file fields are: {', '.join(sorted(files)) or 'none'}.",
                obj=kind,
                id="liveops.E032",
            )
