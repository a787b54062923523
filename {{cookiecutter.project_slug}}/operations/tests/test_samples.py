import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import operations
from liveops.exceptions import OperationError
from liveops.testing import RecordingProgress
from operations.contacts import Contact
from operations.import_contacts import ImportContacts

SAMPLES = Path(operations.__path__[0]) / "samples"

Upload = Callable[..., ImportContacts]
Run = Callable[[ImportContacts], RecordingProgress]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    text = (SAMPLES / "contacts.csv").read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_script_makes_the_same_bytes_again(tmp_path: Path, seed: str) -> None:
    subprocess.run(
        [sys.executable, "-B", str(SAMPLES / "make_contacts.py"), str(tmp_path)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    for name in ("contacts.csv", "contacts_with_errors.csv"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_the_sample_is_as_messy_as_real_address_books(rows: list[dict[str, str]]) -> None:
    assert len(rows) == 5000
    shares = {
        "accents": sum(not row["Name"].isascii() for row in rows),
        "capital addresses": sum(row["E-Mail"] != row["E-Mail"].lower() for row in rows),
        "line breaks": sum("\n" in row["Notes"] for row in rows),
        "semicolons in cells": sum(";" in "".join(row.values()) for row in rows),
        "no phone": sum(not row["Phone"] for row in rows),
        "no city": sum(not row["City"] for row in rows),
        "formula signs": sum(row["Notes"][:1] in {"-", "+", "@"} for row in rows if row["Notes"]),
        "blanks around": sum(row["Name"] != row["Name"].strip() for row in rows),
    }
    assert min(shares.values()) >= 50, shares
    phones = {"".join("9" if sign.isdigit() else sign for sign in row["Phone"]) for row in rows}
    assert len(phones) >= 5


def test_the_sample_can_be_imported(upload: Upload, run: Run) -> None:
    p = run(upload((SAMPLES / "contacts.csv").read_bytes()))
    assert (p.results["created"], p.results["bad"]) == (5000, 0)
    assert Contact.objects.filter(notes__contains="\n").exists()


def test_the_sample_with_errors_is_refused_with_reasons(upload: Upload, run: Run) -> None:
    operation = upload((SAMPLES / "contacts_with_errors.csv").read_bytes())
    with pytest.raises(OperationError, match="8 of 300 rows are bad, so nothing was saved"):
        run(operation)
    assert not Contact.objects.exists()


def test_the_rest_of_the_sample_with_errors_can_be_imported(upload: Upload, run: Run) -> None:
    content = (SAMPLES / "contacts_with_errors.csv").read_bytes()
    p = run(upload(content, skip_bad_rows=True))
    reasons = {problem["reason"] for problem in p.results["problems"]}
    assert (p.results["created"], p.results["bad"]) == (292, 8)
    assert len(reasons) == 6
    assert p.results["encoding"] == "cp1252"
