"""The settings of the operations, with their defaults."""

from typing import cast

from django.conf import settings


def max_upload_mb() -> int:
    """`OPERATIONS_MAX_UPLOAD_MB`: larger files are refused by the start form. In MiB."""
    return cast("int", getattr(settings, "OPERATIONS_MAX_UPLOAD_MB", 50))
