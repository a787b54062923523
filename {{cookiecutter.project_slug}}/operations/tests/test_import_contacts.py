from collections.abc import Callable

import pytest

from accounts.models import User
from liveops.exceptions import OperationCancelled, OperationError
from liveops.testing import RecordingProgress
from operations import import_contacts
from operations.contact_file import LISTED
from operations.contacts import Contact
from operations.find_duplicates import FindDuplicates
from operations.import_contacts import ImportContacts
from operations.tests.pages import shown

Upload = Callable[..., ImportContacts]
Run = Callable[[ImportContacts], RecordingProgress]

THREE = "name;email;city\nAnn;ann@example.com;Köln\nBo;bo@example.com;\nCy;cy@example.com;Bath\n"


def csv_of(*rows: str) -> str:
    return "\n".join(["name,email,phone,notes", *rows]) + "\n"


def test_an_import_saves_all_rows_for_its_owner(owner: User, upload: Upload, run: Run) -> None:
    p = run(upload(THREE))
    saved = Contact.objects.values_list("owner", "name", "email", "city")
    assert set(saved) == {
        (owner.pk, "Ann", "ann@example.com", "Köln"),
        (owner.pk, "Bo", "bo@example.com", ""),
        (owner.pk, "Cy", "cy@example.com", "Bath"),
    }
    counts = {key: p.results[key] for key in ("rows", "created", "updated", "bad")}
    assert counts == {"rows": 3, "created": 3, "updated": 0, "bad": 0}


def test_the_page_sees_stages_status_and_progress(upload: Upload, run: Run) -> None:
    p = run(upload(THREE, name="friends.csv"))
    assert list(p.stages) == ImportContacts.stages
    assert set(p.stages.values()) == {"done"}
    assert p.statuses == [
        "Reading friends.csv",
        "Checking 3 rows",
        "Saving 3 contacts",
        "3 new contacts, 0 updated, 0 bad rows",
    ]
    assert p.percents[-1] == 100
    assert p.logs == [("info", "Encoding: UTF-8, delimiter: ';'")]


def test_a_second_import_updates_by_address(
    upload: Upload, run: Run, add: Callable[..., Contact]
) -> None:
    kept = add("Bob", "bo@example.com", city="Rome", phone="123")
    p = run(upload(THREE.replace("bo@", "BO@")))
    kept.refresh_from_db()
    assert (kept.name, kept.city) == ("Bo", "")
    assert kept.phone == "123", "a column that the file does not have is left alone"
    assert (p.results["created"], p.results["updated"]) == (2, 1)


def test_contacts_of_others_are_neither_changed_nor_counted(
    upload: Upload, run: Run, stranger: User, add: Callable[..., Contact]
) -> None:
    theirs = add("Theirs", "ann@example.com", owner=stranger)
    p = run(upload(THREE))
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"
    assert (p.results["created"], p.results["updated"]) == (3, 0)


def test_a_dry_run_writes_nothing_and_says_what_would_happen(
    upload: Upload, run: Run, add: Callable[..., Contact]
) -> None:
    kept = add("Bob", "bo@example.com")
    before = Contact.objects.values().get()
    p = run(upload(THREE, dry_run=True))
    assert Contact.objects.values().get() == before
    assert kept.pk == before["id"]
    assert (p.results["created"], p.results["updated"]) == (2, 1)
    assert "Save" not in p.stages
    assert p.statuses[-1] == "A real import would give: 2 new, 1 updated, 0 bad"


def test_a_dry_run_reports_bad_rows_and_does_not_fail(upload: Upload, run: Run) -> None:
    p = run(upload(csv_of("Ann,ann@example.com", "Bo,nowhere"), dry_run=True))
    assert p.results["bad"] == 1
    assert p.results["problems"] == [
        {"line": 3, "column": "email", "value": "nowhere", "reason": "is no e-mail address"}
    ]


def test_one_bad_row_at_the_very_end_saves_nothing(upload: Upload) -> None:
    good = [f"P{i},p{i}@example.com" for i in range(2500)]
    p = RecordingProgress(operation := upload(csv_of(*good, "Last,nowhere")))
    with pytest.raises(OperationError) as caught:
        operation.run(p)
    assert not Contact.objects.exists()
    assert str(caught.value).splitlines() == [
        "1 of 2,501 rows is bad, so nothing was saved.",
        "line 2502, email: 'nowhere' is no e-mail address",
        "Correct the file, or start an import that leaves bad rows out.",
    ]
    assert p.stages == {"Read": "done", "Check": "failed"}


def test_bad_rows_can_be_left_out(upload: Upload, run: Run) -> None:
    content = csv_of("Ann,ann@example.com", "Bo,nowhere", ",cy@example.com", "Di,di@example.com")
    p = run(upload(content, skip_bad_rows=True))
    assert set(Contact.objects.values_list("name", flat=True)) == {"Ann", "Di"}
    assert (p.results["created"], p.results["bad"]) == (2, 2)
    assert [line for _, line in p.logs[1:]] == [
        "line 3, email: 'nowhere' is no e-mail address",
        "line 4, name: is missing",
    ]


def test_lines_are_counted_as_an_editor_counts_them(upload: Upload, run: Run) -> None:
    content = csv_of('Ann,ann@example.com,,"one\ntwo\nthree"', "", "Bo,nowhere")
    p = run(upload(content, dry_run=True))
    assert p.results["problems"][0]["line"] == 6


def test_an_address_twice_in_a_file_is_bad(upload: Upload, run: Run) -> None:
    content = csv_of("Ann,ann@example.com", "Bo,bo@example.com", "Anna,ANN@example.com")
    p = run(upload(content, dry_run=True))
    assert p.results["bad"] == 1
    assert p.logs[-1] == (
        "warning",
        "line 4, email: 'ann@example.com' is the address of line 2 too",
    )


def test_many_bad_rows_are_listed_up_to_a_limit_and_counted(upload: Upload, run: Run) -> None:
    p = run(upload(csv_of("Ann,ann@example.com", *(["Bo,nowhere"] * 180)), dry_run=True))
    warnings = [line for level, line in p.logs if level == "warning"]
    assert len(warnings) == LISTED + 1
    assert warnings[-1] == f"… and {180 - LISTED} more bad rows"
    assert (p.results["bad"], len(p.results["problems"])) == (180, LISTED)
    assert f"and {180 - LISTED} more bad rows" in shown(p)


@pytest.mark.parametrize("skip_bad_rows", [True, False])
def test_a_file_of_bad_rows_only_fails(upload: Upload, run: Run, skip_bad_rows: bool) -> None:
    with pytest.raises(OperationError, match="2 of 2 rows are bad, so nothing was saved"):
        run(upload(csv_of("Ann,nowhere", "Bo,nobody"), skip_bad_rows=skip_bad_rows))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf", "The file is empty"),
        (b"name,email\n", "has a header, but no rows"),
        (b"name,email\n\n,\n", "has a header, but no rows"),
        (b"name,phone\nAnn,1\n", "no column for: email. It has: name, phone"),
        (b"\x7fELF" + bytes(100) + b"\x01\x02\xff" * 100, "binary file"),
        (b"PK\x03\x04....", "XLSX"),
        (b"name,email\nAnn," + b"x" * 1_000_002, "Line 2 has more than"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    upload: Upload, run: Run, content: bytes, message: str
) -> None:
    with pytest.raises(OperationError, match=message):
        run(upload(content))
    assert not Contact.objects.exists()


def test_a_nul_in_a_cell_is_one_bad_row(upload: Upload, run: Run) -> None:
    p = run(upload("name,email\nA\0nn,ann@example.com\nBo,bo@example.com\n", skip_bad_rows=True))
    assert p.results["problems"][0]["reason"] == "has a NUL character"
    assert Contact.objects.get().name == "Bo"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_accents_survive_every_usual_encoding(upload: Upload, run: Run, codec: str) -> None:
    run(upload("name;email;city\nJosé Muñoz;j@example.com;Besançon\n".encode(codec)))
    saved = Contact.objects.get()
    assert (saved.name, saved.city) == ("José Muñoz", "Besançon")


def test_a_guessed_encoding_is_shown_with_an_example(upload: Upload, run: Run) -> None:
    p = run(upload("name;email\nJosé Muñoz;j@example.com\n".encode("cp1252")))
    assert p.logs[-1] == (
        "warning",
        "The encoding is a guess; a name in the file reads: José Muñoz",
    )
    assert "José Muñoz" in shown(p)


def test_a_byte_order_mark_is_no_other_encoding(upload: Upload, run: Run) -> None:
    p = run(upload(THREE.encode("utf-8-sig")))
    assert p.logs == [("info", "Encoding: UTF-8, delimiter: ';'")]
    assert p.results["encoding"] == "UTF-8"


def test_figures_have_separators(upload: Upload, run: Run) -> None:
    p = run(upload(THREE))
    p.results.update(rows=12345, created=2345, bad=1000, unlisted=1000, problems=[{"line": 7}])
    page = shown(p)
    for figure in ("12,345 rows", ">2,345<", ">1,000<", "1,000 more bad rows"):
        assert figure in page


def test_a_chosen_encoding_is_used(upload: Upload, run: Run) -> None:
    run(upload("name;email\nŁukasz;l@example.com\n".encode("cp1250"), encoding="cp1250"))
    assert Contact.objects.get().name == "Łukasz"


def test_columns_that_are_not_imported_are_named(upload: Upload, run: Run) -> None:
    p = run(upload("name,email,shoe size\nAnn,ann@example.com,38\n"))
    assert ("warning", "Columns that are not imported: shoe size") in p.logs
    assert "shoe size" in shown(p)


def test_too_many_rows_are_refused(
    upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_contacts, "MAX_ROWS", 2)
    with pytest.raises(OperationError, match="more than 2 rows"):
        run(upload(THREE))


@pytest.mark.parametrize("wanted", [True, False])
def test_the_search_for_duplicates_follows_on_request_only(
    owner: User, upload: Upload, run: Run, wanted: bool
) -> None:
    p = run(upload(THREE, find_duplicates_afterwards=wanted))
    assert isinstance(p.chained, FindDuplicates) == wanted
    if p.chained:
        assert p.chained.owner_id == owner.pk


def test_a_dry_run_is_followed_by_nothing(upload: Upload, run: Run) -> None:
    p = run(upload(THREE, dry_run=True, find_duplicates_afterwards=True))
    assert p.chained is None


@pytest.mark.parametrize("checks", [1, 4, 7])
def test_a_cancelled_import_saves_nothing(upload: Upload, checks: int) -> None:
    operation = upload(THREE)
    p = RecordingProgress(operation, cancel_after=checks)
    with pytest.raises(OperationCancelled):
        operation.run(p)
    assert not Contact.objects.exists()
    assert "cancelled" in p.stages.values()


def test_a_cancelled_import_can_run_again(upload: Upload, run: Run) -> None:
    operation = upload(THREE)
    with pytest.raises(OperationCancelled):
        operation.run(RecordingProgress(operation, cancel_after=7))
    operation.on_restart()
    assert run(operation).results["created"] == 3


def test_a_file_that_has_gone_is_named(upload: Upload, run: Run) -> None:
    operation = upload(THREE, name="friends.csv")
    operation.file.delete(save=False)
    operation.file.name = "friends.csv"
    with pytest.raises(OperationError, match=r"friends\.csv is gone"):
        run(operation)


def test_hostile_text_is_shown_inert(upload: Upload, run: Run) -> None:
    bad = "<script>alert(1)</script>"
    p = run(upload(csv_of(f"{bad},{bad}"), name="x.csv", dry_run=True))
    assert "<script>" not in shown(p)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown(p)
