import asyncio
import csv
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from liveops.exceptions import LeaseLost, OperationCancelled
from liveops.models import State
from liveops.testing import RecordingProgress
from operations.contacts import Contact, save_contacts
from operations.export_contacts import COLUMNS, ExportContacts
from operations.import_contacts import ImportContacts
from operations.tests.pages import shown

Add = Callable[..., Contact]
Export = Callable[..., ExportContacts]
Run = Callable[[Any], RecordingProgress]

HOSTILE = {
    "name": '=HYPERLINK("http://example.com")',
    "phone": "+49 30 1234567",
    "company": "@SUM(A1:A9)",
    "city": "-2+3",
    "country": "'=already guarded",
    "notes": '\uff1dwide; "quoted", and\r\ntwo\nlines\twith a tab',
}


@pytest.fixture
def export(owner: User) -> Export:
    def make(**options: Any) -> ExportContacts:
        return ExportContacts.objects.create(owner=owner, **options)

    return make


def text_of(operation: ExportContacts) -> str:
    operation.refresh_from_db()
    with operation.output.open("rb") as file:
        return file.read().decode()


async def body_of(response: Any) -> str:
    return b"".join([chunk async for chunk in response.streaming_content]).decode()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def everything(owner: User) -> list[dict[str, str]]:
    return list(Contact.objects.filter(owner=owner).order_by("email").values(*COLUMNS))


def test_an_export_writes_all_contacts_of_its_owner(
    export: Export, run: Run, add: Add, stranger: User
) -> None:
    add("Zoë", "z@example.com", city="Köln", country="Germany")
    add("Ann", "a@example.com")
    add("Theirs", "t@example.com", owner=stranger)
    operation = export()
    p = run(operation)
    assert text_of(operation) == (
        '\ufeff"name","email","phone","company","city","country","notes"\r\n'
        '"Ann","a@example.com","","","","",""\r\n'
        '"Zoë","z@example.com","","","Köln","Germany",""\r\n'
    )
    assert p.results["rows"] == 2
    assert p.results["size"] == operation.output.size
    assert p.stages == {"Write": "done", "Store": "done"}


@pytest.mark.parametrize(("delimiter", "sign"), [("comma", ","), ("semicolon", ";"), ("tab", "\t")])
def test_the_delimiter_is_used(
    export: Export, run: Run, add: Add, delimiter: str, sign: str
) -> None:
    add("Ann", "a@example.com")
    operation = export(delimiter=delimiter)
    run(operation)
    assert text_of(operation).splitlines()[1].startswith(f'"Ann"{sign}"a@example.com"{sign}')


def test_only_contacts_of_the_country_are_written(export: Export, run: Run, add: Add) -> None:
    add("Ann", "a@example.com", country="Germany")
    add("Bo", "b@example.com", country="Sweden")
    p = run(operation := export(country="germany"))
    assert p.results["rows"] == 1
    assert "Bo" not in text_of(operation)
    assert "only from germany" in shown(p)


def test_without_any_contact_the_file_has_its_header_and_the_page_says_so(
    export: Export, run: Run
) -> None:
    p = run(operation := export(country="Nowhere"))
    assert len(text_of(operation).splitlines()) == 1
    assert p.statuses[-1] == "No contact matches; the file has only its header"


def test_no_cell_begins_as_a_formula(export: Export, run: Run, add: Add) -> None:
    add(email="h@example.com", **HOSTILE)
    run(operation := export())
    (row,) = list(csv.reader(io.StringIO(text_of(operation), newline="")))[1:]
    assert [cell[0] for cell in row if cell != "h@example.com"] == ["'"] * 6
    assert row[COLUMNS.index("name")] == "'" + HOSTILE["name"]


@pytest.mark.parametrize("delimiter", ["comma", "semicolon", "tab"])
def test_an_import_of_an_export_gives_the_same_contacts(
    export: Export,
    run: Run,
    add: Add,
    upload: Callable[..., ImportContacts],
    owner: User,
    delimiter: str,
) -> None:
    add(email="h@example.com", **HOSTILE)
    add("Łukasz O'Connor", "l@example.com", notes="'quoted'; \"twice\"", phone="'")
    add("Ann, Dr.", "a@example.com", company="A; B | C\tD", notes="end with a line\n\nbreak")
    before = everything(owner)
    run(operation := export(delimiter=delimiter))
    content = text_of(operation).encode()
    Contact.objects.all().delete()
    p = run(upload(content))
    assert everything(owner) == before
    assert (p.results["created"], p.results["bad"]) == (3, 0)


def test_the_round_trip_holds_for_the_whole_sample(
    export: Export, run: Run, upload: Callable[..., ImportContacts], owner: User
) -> None:
    sample = Path(__file__).parent.parent / "samples" / "contacts.csv"
    run(upload(sample.read_bytes()))
    before = everything(owner)
    run(operation := export())
    content = text_of(operation).encode()
    Contact.objects.all().delete()
    run(upload(content))
    assert everything(owner) == before
    assert len(before) == 5000


def test_the_owner_downloads_the_file_and_nobody_else(
    export: Export, run: Run, add: Add, owner: User, stranger: User, client: Client
) -> None:
    add("Ann", "a@example.com")
    operation = export()
    p = run(operation)
    ExportContacts._base_manager.update(state=State.SUCCEEDED)
    address = reverse("liveops:file", args=[operation.pk, "output"])
    assert f'href="{address}"' in shown(p)
    client.force_login(owner)
    response = client.get(address)
    assert asyncio.run(body_of(response)) == text_of(operation)
    assert "attachment" in response["Content-Disposition"]
    assert ".csv" in response["Content-Disposition"]
    client.force_login(stranger)
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code in {302, 404}


def test_before_it_has_run_there_is_nothing_to_download(
    export: Export, owner: User, client: Client
) -> None:
    client.force_login(owner)
    address = reverse("liveops:file", args=[export().pk, "output"])
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("checks", [0, 1, 3])
def test_a_cancelled_export_leaves_no_file(
    export: Export, add: Add, media_root: Path, checks: int
) -> None:
    for i in range(3):
        add("Ann", f"a{i}@example.com")
    operation = export()
    with pytest.raises(OperationCancelled):
        operation.run(RecordingProgress(operation, cancel_after=checks))
    operation.refresh_from_db()
    assert not operation.output
    assert files(media_root) == []


class FullDisk(FileSystemStorage):
    """Breaks after half of a file is written."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        super().save(name, File(io.BytesIO(content.read(20))), max_length)
        raise OSError(28, "No space left on device")


def test_a_disk_that_is_full_leaves_no_half_a_file(
    export: Export, run: Run, add: Add, media_root: Path, settings: Settings
) -> None:
    add("Ann", "a@example.com")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": f"{__name__}.{FullDisk.__name__}"},
    }
    operation = export()
    with pytest.raises(OSError, match="No space left"):
        run(operation)
    operation.refresh_from_db()
    assert not operation.output
    assert files(media_root) == []


def test_a_run_that_lost_its_lease_leaves_the_file_of_the_new_one_alone(
    export: Export, run: Run, add: Add, media_root: Path
) -> None:
    add("Ann", "a@example.com")
    stale = export()
    ExportContacts._base_manager.update(attempt=2)
    fresh = ExportContacts.objects.get()
    run(fresh)
    with pytest.raises(LeaseLost):
        run(stale)
    assert [str(path) for path in files(media_root)] == [fresh.output.path]
    assert text_of(fresh).count("\r\n") == 2


def test_a_retry_removes_the_file_of_the_run_before(
    export: Export,
    run: Run,
    add: Add,
    media_root: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    add("Ann", "a@example.com")
    operation = export()
    run(operation)
    assert len(files(media_root)) == 1
    with django_capture_on_commit_callbacks(execute=True):
        operation.on_restart()
    operation.refresh_from_db()
    assert not operation.output
    assert files(media_root) == []
    run(operation)
    assert len(files(media_root)) == 1


def test_memory_does_not_grow_with_the_file(export: Export, run: Run, owner: User) -> None:
    values = (
        {"name": f"P{i}", "email": f"p{i}@example.com", "notes": "x" * 500} for i in range(20_000)
    )
    save_contacts(owner.pk, values, ["name", "email", "notes"])
    operation = export()
    tracemalloc.start()
    try:
        run(operation)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert operation.output.size > 10_000_000
    print(f"{peak / 2**20:.1f} MiB at most for {operation.output.size / 2**20:.0f} MiB", end=" ")
    assert peak < 6 * 2**20
