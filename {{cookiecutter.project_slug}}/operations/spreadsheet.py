"""Keeps text in a CSV file from being run as a formula by the program that opens it.

The rule is OWASP's, https://owasp.org/www-community/attacks/CSV_Injection: a cell that begins
with `=`, `+`, `-`, `@`, a tab, a carriage return, a line feed, or a full-width form of these
signs gets an apostrophe in front, and every cell is quoted.
"""

import re

# The apostrophes make it reversible: a text that looks guarded already is guarded once more.
RISKY = re.compile(r"'*\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def guard(text: str) -> str:
    """The text as it may stand in a cell."""
    return f"'{text}" if RISKY.match(text) else text


def unguard(cell: str) -> str:
    """The text that `guard()` was given."""
    return cell[1:] if cell.startswith("'") and RISKY.match(cell) else cell
