"""Whether each kind says things about itself that can be meant."""

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.db import models

from liveops.models import LiveOperation, kinds
from liveops.models.kind import Kind

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
    files = {field.name for field in kind._meta.fields if isinstance(field, models.FileField)}
    for name in kind.downloads:
        if name not in files:
            yield checks.Error(
                f"{kind.__name__}.downloads names {name!r}, which is no file field of it.",
                hint=f"Its file fields are: {', '.join(sorted(files)) or 'none'}.",
                obj=kind,
                id="liveops.E032",
            )
