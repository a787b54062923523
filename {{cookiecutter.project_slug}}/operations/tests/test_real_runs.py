"""Runs as a worker makes them: claimed, executed and recorded by the engine itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import operations
from accounts.models import User
from liveops.execution import execute
from liveops.models import LiveOperation, LogChunk, State
from operations.contacts import Contact
from operations.export_contacts import ExportContacts
from operations.find_duplicates import FindDuplicates
from operations.import_contacts import ImportContacts

SAMPLES = Path(operations.__path__[0]) / "samples"

Upload = Callable[..., ImportContacts]

pytestmark = pytest.mark.django_db(transaction=True)


def work(operation: LiveOperation) -> Any:
    """What a worker does with one message; returns the operation as it is recorded."""
    claimed = LiveOperation.claim(operation.pk, operation.attempt, "test")
    assert claimed is not None
    execute(claimed)
    return LiveOperation.objects.get(pk=operation.pk).as_kind()


def test_the_sample_is_imported_and_searched(upload: Upload) -> None:
    content = (SAMPLES / "contacts.csv").read_bytes()
    done = work(upload(content, find_duplicates_afterwards=True))
    assert (done.state, done.percent) == (State.SUCCEEDED, 100)
    assert [stage["state"] for stage in done.stage_list] == ["done", "done", "done"]
    assert done.result_context["created"] == Contact.objects.count() == 5000
    following = done.next_operation.as_kind()
    assert isinstance(following, FindDuplicates)
    assert (following.state, following.owner_id) == (State.QUEUED, done.owner_id)
    searched = work(following)
    assert searched.state == State.SUCCEEDED
    assert "candidates" in searched.regions["#candidates"]
    assert searched.result_context["group_count"] >= 200


def test_a_refused_import_tells_why_and_logs_every_bad_row(upload: Upload) -> None:
    failed = work(upload((SAMPLES / "contacts_with_errors.csv").read_bytes()))
    assert failed.state == State.FAILED
    assert failed.error.startswith("8 of 300 rows are bad, so nothing was saved.")
    assert [stage["state"] for stage in failed.stage_list] == ["done", "failed", "pending"]
    log = "\n".join(LogChunk.objects.filter(operation=failed.pk).values_list("body", flat=True))
    assert log.count(": is missing") == 2
    assert not Contact.objects.exists()


def test_a_failed_import_succeeds_when_it_is_tried_again(upload: Upload) -> None:
    operation = upload("name,email\nAnn,ann@example.com\n")
    path = Path(operation.file.path)
    content = path.read_bytes()
    path.unlink()
    failed = work(operation)
    assert failed.state == State.FAILED
    assert "is gone" in failed.error
    path.write_bytes(content)
    assert failed.restart()
    assert work(failed).state == State.SUCCEEDED
    assert Contact.objects.get().name == "Ann"


def test_an_export_stores_its_file(owner: User, media_root: Path) -> None:
    Contact.objects.create(owner=owner, name="Ann", email="ann@example.com")
    done = work(ExportContacts.objects.create(owner=owner))
    assert done.state == State.SUCCEEDED
    assert (
        Path(done.output.path).read_bytes().endswith(b'"Ann","ann@example.com","","","","",""\r\n')
    )
