"""Where operations keep their files. Nothing serves this folder: `liveops:file` asks the policy."""

from django.core.exceptions import ValidationError
from django.core.files import File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from liveops.models import LiveOperation
from operations import conf


def private_path(operation: LiveOperation, filename: str) -> str:
    """A folder for each attempt of each operation, so that no two files share a name."""
    return f"operations/{operation.id}/{operation.attempt}/{filename}"


def validate_upload_size(file: File) -> None:
    """Refuse more than `OPERATIONS_MAX_UPLOAD_MB`."""
    limit = conf.max_upload_mb() * 1024 * 1024
    if file.size > limit:
        text = _("The file has %(size)s, at most %(limit)s are accepted. Split it.")
        sizes = {"size": filesizeformat(file.size), "limit": filesizeformat(limit)}
        raise ValidationError(text % sizes, code="too_large")
