from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.deletion import Collector
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from liveops.models import LiveOperation, State
from liveops.retention import expired, purge, survey
from liveops.tests.make import add_lines
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


def test_the_folders_of_a_deleted_operation_go_and_those_of_others_stay(
    upload: Upload,
    media_root: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    gone, kept = upload(CSV), upload(CSV)
    with django_capture_on_commit_callbacks(execute=True):
        gone.delete()
    assert [path.name for path in (media_root / "operations").iterdir()] == [str(kept.pk)]


@pytest.mark.django_db
def test_deleting_an_operation_loads_no_line_of_its_log(upload: Upload) -> None:
    operation = upload(CSV)
    add_lines(operation, "one", "two")
    with CaptureQueriesContext(connection) as queries:
        operation.delete()
    assert not [query for query in queries if "body" in query["sql"]]


class TestPurge:
    """Uploads and results go with the operations that are purged."""

    @pytest.fixture(autouse=True)
    def old(self, upload: Upload) -> list[ImportContacts]:
        old = [upload(CSV) for _ in range(5)]
        moment = timezone.now() - timedelta(days=100)
        LiveOperation.objects.update(state=State.SUCCEEDED, finished_at=moment)
        return old

    def test_takes_the_files_of_old_operations_only(self, upload: Upload, media_root: Path) -> None:
        young = upload(CSV)
        assert survey(expired(90)).files == 5
        assert len(files(media_root)) == 6
        assert sum(part.files for part in purge(expired(90))) == 5
        assert files(media_root) == ["contacts.csv"]
        assert (media_root / str(young.file.name)).exists()

    def test_a_dry_run_leaves_the_files(self, media_root: Path, capsys: Any) -> None:
        call_command("purge_operations", "--dry-run")
        assert "5 files" in capsys.readouterr().out
        assert len(files(media_root)) == 5

    def test_a_purge_that_dies_before_its_commit_finds_the_files_again(
        self, media_root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Collector, "delete", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                list(purge(expired(90)))
        assert LiveOperation.objects.count() == 5
        list(purge(expired(90)))
        assert LiveOperation.objects.count() == 0
        assert files(media_root) == []

    def test_a_file_that_cannot_be_deleted_keeps_its_operation_alone(
        self, old: list[ImportContacts], media_root: Path
    ) -> None:
        stuck = media_root / str(old[2].file.name)
        stuck.unlink()
        (stuck / "something").mkdir(parents=True)
        parts = list(purge(expired(90)))
        assert sum(part.operations.total() for part in parts) == 4
        assert sum(part.kept for part in parts) == 1
        assert LiveOperation.objects.get().pk == old[2].pk


def test_an_upload_has_no_address(client: Client, owner: User, upload: Upload) -> None:
    operation = upload(CSV)
    client.force_login(owner)
    for address in (
        f"/{operation.file.name}",
        f"/media/{operation.file.name}",
        reverse("liveops:file", args=[operation.pk, "file"]),
    ):
        assert client.get(address).status_code == 404
