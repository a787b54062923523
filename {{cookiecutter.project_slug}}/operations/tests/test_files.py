from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from liveops.models import LiveOperation
from operations.import_contacts import ImportContacts

CSV = "name,email\nAnn,ann@example.com\n"

Upload = Callable[..., ImportContacts]


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("model", [ImportContacts, LiveOperation])
def test_a_deleted_operation_takes_its_upload_with_it(
    upload: Upload,
    media_root: Path,
    model: type[LiveOperation],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    operation = upload(CSV)
    assert files(media_root) == ["contacts.csv"]
    with django_capture_on_commit_callbacks(execute=True):
        model.objects.filter(pk=operation.pk).delete()
    assert files(media_root) == []


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_rolled_back_keeps_the_upload(upload: Upload, media_root: Path) -> None:
    operation = upload(CSV)
    with transaction.atomic():
        operation.delete()
        transaction.set_rollback(True)
    assert files(media_root) == ["contacts.csv"]


def test_an_upload_has_no_address(client: Client, owner: User, upload: Upload) -> None:
    operation = upload(CSV)
    client.force_login(owner)
    for address in (
        f"/{operation.file.name}",
        f"/media/{operation.file.name}",
        reverse("liveops:file", args=[operation.pk, "file"]),
    ):
        assert client.get(address).status_code == 404
