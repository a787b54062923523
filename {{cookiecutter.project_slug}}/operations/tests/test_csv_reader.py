from collections.abc import Callable
from io import BytesIO

import pytest

from operations.csv_reader import MAX_LINE, CsvFile
from operations.text_encoding import UnreadableFileError


def opener(text: str) -> Callable[[], BytesIO]:
    return lambda: BytesIO(text.encode())


def rows(text: str) -> list[tuple[int, list[str]]]:
    return [(row.line, row.cells) for row in CsvFile(opener(text)).rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(delimiter: str) -> None:
    text = "\n".join(delimiter.join(row) for row in [["name", "email"], ["Ann", "a@example.com"]])
    file = CsvFile(opener(text))
    assert file.delimiter == delimiter
    assert file.header == ["name", "email"]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('name;email;notes\nAnn;a@b.cc;"x, y, z"\nBo;b@b.cc;"1,5, 2,5"\n', ";"),
        ('name,email,notes\nAnn,a@b.cc,"x; y"\n', ","),
        ("name,email,phone|mobile\nAnn,a@b.cc,1|2\nBo,b@b.cc\n", ","),
        ('"name, or title";email\n"Ann, Dr.";a@b.cc\n', ";"),
        ("email\na@b.cc\n", ","),
    ],
)
def test_other_delimiters_inside_cells_do_not_mislead(text: str, delimiter: str) -> None:
    assert CsvFile(opener(text)).delimiter == delimiter


def test_excels_hint_names_the_delimiter_and_is_no_row() -> None:
    file = CsvFile(opener("sep=|\r\nname|email\r\nAnn|a@b.cc\r\n"))
    assert (file.delimiter, file.header) == ("|", ["name", "email"])
    assert [row.line for row in file.rows()] == [3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(end: str) -> None:
    assert rows(end.join(["name,email", "Ann,a@b.cc", "Bo,b@b.cc"])) == [
        (2, ["Ann", "a@b.cc"]),
        (3, ["Bo", "b@b.cc"]),
    ]


def test_a_row_counts_from_the_physical_line_where_it_begins() -> None:
    text = 'name,notes\nAnn,"one\ntwo\nthree"\n\n \nBo,x\n,\nCy,"y\nz"\nDi,z\n'
    assert rows(text) == [
        (2, ["Ann", "one\ntwo\nthree"]),
        (7, ["Bo", "x"]),
        (9, ["Cy", "y\nz"]),
        (11, ["Di", "z"]),
    ]


def test_a_quoted_line_break_is_kept_as_it_was_written() -> None:
    assert rows('name,notes\r\nAnn,"one\r\ntwo"\r\n')[0][1][1] == "one\r\ntwo"


def test_blank_lines_may_come_before_the_header() -> None:
    file = CsvFile(opener("\n \n;;\nname;email\nAnn;a@b.cc\n"))
    assert file.header == ["name", "email"]
    assert [row.line for row in file.rows()] == [5]


def test_text_after_a_quoted_cell_makes_one_bad_row_and_no_more() -> None:
    file = CsvFile(opener('name,email\n"Ann" B,a@b.cc\nBo,b@b.cc\n'))
    bad, good = file.rows()
    assert (bad.line, bad.cells) == (2, [])
    assert "quotation marks" in bad.problem
    assert (good.line, good.cells, good.problem) == (3, ["Bo", "b@b.cc"], "")


def test_a_quotation_mark_that_is_never_closed_is_a_bad_row_where_it_opens() -> None:
    (bad,) = CsvFile(opener('name,email\n"Ann,a@b.cc\nBo,b@b.cc\n')).rows()
    assert bad.line == 2
    assert "not closed" in bad.problem


def test_a_cell_beyond_the_limit_of_the_csv_module_is_a_bad_row() -> None:
    text = 'name,email\n"Ann,' + "x@b.cc\n" * 30_000 + "Bo,b@b.cc\n"
    bad = next(CsvFile(opener(text)).rows())
    assert bad.line == 2
    assert "131072" in bad.problem


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(UnreadableFileError, match=r"Line 2 has more than 1000000 characters"):
        rows("name,email\n" + "x" * (MAX_LINE + 1))


@pytest.mark.parametrize("text", ["", "\n\n", " \n,,,\n", "\ufeff"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    with pytest.raises(UnreadableFileError, match="empty"):
        CsvFile(opener(text))


def test_a_header_that_cannot_be_read_is_named_with_its_line() -> None:
    with pytest.raises(UnreadableFileError, match="Line 1, the header"):
        CsvFile(opener('"name" x,email\nAnn,a@b.cc\n'))


def test_every_pass_opens_the_file_anew_and_closes_it() -> None:
    opened: list[BytesIO] = []

    def open_file() -> BytesIO:
        opened.append(BytesIO(b"name,email\nAnn,a@b.cc\n"))
        return opened[-1]

    file = CsvFile(open_file)
    assert list(file.rows()) == list(file.rows())
    assert all(handle.closed for handle in opened)
