import pytest

from operations.contact_rows import BadRow, ContactColumns
from operations.csv_reader import Row
from operations.text_encoding import UnreadableFileError

HEADER = ["name", "email", "phone", "notes"]


def read(header: list[str], *cells: str) -> dict[str, str] | BadRow:
    return ContactColumns(header).read(Row(7, list(cells)))


@pytest.mark.parametrize(
    "header",
    [
        ["Name", "E-Mail"],
        [" FULL NAME ", "e-mail address"],
        ["Nom complet", "Courriel"],
        ["Kontakt", "E-Mail-Adresse"],
        ["Display Name", "E-mail 1 - Value"],
        ["CONTACTO", "Correo"],
    ],
)
def test_headers_of_other_programs_and_languages_are_known(header: list[str]) -> None:
    assert read(header, "Ann", "a@example.com") == {"name": "Ann", "email": "a@example.com"}


@pytest.mark.parametrize(
    "header", [["First name", "Surname", "Email"], ["Vorname", "Nachname", "Mail"]]
)
def test_first_and_last_name_are_joined(header: list[str]) -> None:
    columns = ContactColumns(header)
    assert columns.fields == ["name", "email"]
    values = columns.read(Row(2, ["Ann", "Lee", "a@example.com"]))
    assert values == {"name": "Ann Lee", "email": "a@example.com"}
    assert columns.read(Row(2, ["", "Lee", "a@example.com"])) == {
        "name": "Lee",
        "email": "a@example.com",
    }


def test_a_whole_name_wins_over_its_parts() -> None:
    columns = ContactColumns(["First name", "Name", "Email", "Last name"])
    assert columns.ignored == ["First name", "Last name"]
    values = columns.read(Row(2, ["X", "Ann Lee", "a@example.com", "Y"]))
    assert values == {"name": "Ann Lee", "email": "a@example.com"}


def test_unknown_and_repeated_columns_are_listed() -> None:
    columns = ContactColumns(["Name", "Email", "Shoe size", "", "E-Mail"])
    assert columns.ignored == ["Shoe size", "E-Mail"]
    assert columns.fields == ["name", "email"]


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (["Name", "Phone"], "email"),
        (["Email", "Phone"], "name"),
        (["Title", "Telephone"], "name, email"),
        (["Ann Lee", "a@example.com"], "name, email"),
    ],
)
def test_missing_columns_are_named_beside_what_was_found(header: list[str], missing: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        ContactColumns(header)
    text = str(caught.value)
    assert f"no column for: {missing}." in text
    assert ", ".join(header) in text
    assert "email and name (or first name and last name)" in text


def test_a_header_beyond_all_reason_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="has 203 columns, at most 200"):
        ContactColumns(["name", "email", *map(str, range(201))])


def test_a_long_title_is_listed_cut() -> None:
    assert ContactColumns(["name", "email", "x" * 5000]).ignored == ["x" * 79 + "…"]


def test_values_are_trimmed_and_the_address_is_in_lower_case() -> None:
    values = read(HEADER, "  Ann \u00a0", " A.B@Example.COM ", " 1 ", " two\nlines ")
    assert values == {
        "name": "Ann",
        "email": "a.b@example.com",
        "phone": "1",
        "notes": "two\nlines",
    }


def test_cells_missing_at_the_end_are_empty() -> None:
    assert read(HEADER, "Ann", "a@b.cc") == {
        "name": "Ann",
        "email": "a@b.cc",
        "phone": "",
        "notes": "",
    }


def test_empty_cells_too_many_do_no_harm() -> None:
    assert isinstance(read(HEADER, "Ann", "a@b.cc", "", "", "", " "), dict)


@pytest.mark.parametrize(
    ("cells", "column", "value", "reason"),
    [
        (["", "a@b.cc"], "name", "", "is missing"),
        (["Ann", " "], "email", "", "is missing"),
        (["Ann"], "email", "", "is missing"),
        (["Ann", "a(at)b.cc"], "email", "a(at)b.cc", "is no e-mail address"),
        (["Ann", "a@b"], "email", "a@b", "is no e-mail address"),
        (["A" * 201, "a@b.cc"], "name", "A" * 201, "has 201 characters, at most 200 fit"),
        (["Ann", f"{'a' * 250}@b.cc"], "email", f"{'a' * 250}@b.cc", "has 255 characters"),
        (["Ann", "a@b.cc", "", "n" * 5001], "notes", "n" * 5001, "at most 5000 fit"),
        (["An\0n", "a@b.cc"], "name", "An\0n", "has a NUL character"),
        (["Ann", "a@b.cc", "", "", "more"], "", "more", "5 cells instead of 4"),
    ],
)
def test_a_bad_row_says_line_column_value_and_reason(
    cells: list[str], column: str, value: str, reason: str
) -> None:
    bad = read(HEADER, *cells)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.column, bad.value) == (7, column, value)
    assert reason in bad.reason


def test_what_is_as_long_as_it_may_be_is_good() -> None:
    assert isinstance(read(HEADER, "A" * 200, "a@b.cc", "1" * 40, "n" * 5000), dict)


def test_a_bad_row_reads_as_a_sentence() -> None:
    assert str(read(HEADER, "Ann", "nowhere")) == ("line 7, email: 'nowhere' is no e-mail address")
    assert str(read(HEADER, "", "a@b.cc")) == "line 7, name: is missing"


def test_a_long_value_is_shown_cut() -> None:
    bad = read(HEADER, "Ann", "x" * 5000)
    assert isinstance(bad, BadRow)
    assert len(str(bad)) < 200
    assert len(str(bad.as_dict()["value"])) == 80


def test_a_guarded_cell_loses_its_apostrophe() -> None:
    values = read(HEADER, "'=cmd()", "a@b.cc", "'+49 30 1", "'quoted'")
    assert isinstance(values, dict)
    assert values["name"] == "=cmd()"
    assert values["phone"] == "+49 30 1"
    assert values["notes"] == "'quoted'"
