"""Says at start which setting of the operations is wrong."""

from typing import Any

from django.core.checks import Error, register

from operations import conf


@register
def check_max_upload(**kwargs: Any) -> list[Error]:
    value = conf.max_upload_mb()
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return []
    return [
        Error(
            f"OPERATIONS_MAX_UPLOAD_MB is {value!r}.",
            hint="Set it to the MiB that an uploaded file may have, for example 50.",
            id="operations.E001",
        )
    ]
