"""Where operations keep their files. Nothing serves this folder: `liveops:file` asks the policy."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
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


@receiver(post_delete, dispatch_uid="operations.files.delete_files")
def delete_files(instance: models.Model, **kwargs: Any) -> None:
    """A deleted operation takes its files with it, once its deletion is certain."""
    if isinstance(instance, LiveOperation):
        for field in instance._meta.local_fields:
            if isinstance(field, models.FileField):
                file = getattr(instance, field.name)
                if file:
                    discard(file)


def discard(file: models.fields.files.FieldFile) -> None:
    """Delete a stored file as soon as the current transaction is committed."""
    storage, name = file.storage, file.name or ""
    transaction.on_commit(lambda: storage.delete(name))
