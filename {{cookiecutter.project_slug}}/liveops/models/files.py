"""The files of an operation go when it goes, whatever its kind."""

from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from django.core.files.storage import FileSystemStorage, Storage
from django.db import models, transaction
from django.db.models.fields.files import FieldFile
from django.db.models.signals import class_prepared, post_delete
from django.dispatch import receiver

from liveops.models.kind import Kind


def stored_files(instance: models.Model) -> list[FieldFile]:
    """The files that this class's own fields name; those of its parents are the parents'."""
    files = [getattr(instance, field.name) for field in file_fields(type(instance))]
    return [file for file in files if file]


def file_fields(model: type[models.Model]) -> list[models.FileField]:
    return [field for field in model._meta.local_fields if isinstance(field, models.FileField)]


def discard_file(file: FieldFile) -> None:
    """Delete a stored file as soon as the current transaction is committed."""
    storage, name, owner = file.storage, str(file.name), str(file.instance.pk)
    transaction.on_commit(lambda: _delete(storage, name, owner))


def delete_now(file: FieldFile) -> None:
    """Delete a stored file at once; the instance forgets it, its row does not."""
    name, owner = str(file.name), str(file.instance.pk)
    file.delete(save=False)
    _delete_folders(file.storage, name, owner)


def _delete(storage: Storage, name: str, owner: str) -> None:
    storage.delete(name)
    _delete_folders(storage, name, owner)


def _delete_folders(storage: Storage, name: str, owner: str) -> None:
    """Remove the folders of a deleted file that are its operation's own, once they are empty."""
    if not isinstance(storage, FileSystemStorage):
        return
    for folder in PurePosixPath(name).parents:
        if owner not in folder.parts:
            return
        with suppress(OSError):  # not empty
            storage.delete(str(folder))


@receiver(class_prepared)
def listen(sender: type[models.Model], **kwargs: Any) -> None:
    """Listens to kinds with files alone: whoever listens to all has Django load whole logs."""
    if issubclass(sender, Kind) and file_fields(sender):
        post_delete.connect(delete_files, sender=sender, dispatch_uid="liveops.files")


def delete_files(instance: models.Model, **kwargs: Any) -> None:
    for file in stored_files(instance):
        discard_file(file)
