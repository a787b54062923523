"""Finds in a text what nobody but its owner may know."""

import re
from collections.abc import Iterable

# What we sign (`payload:time:signature`), and JSON web tokens.
CREDENTIAL = re.compile(r"[\w-]{20,}:[\w-]{6}:[\w-]{43}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}")
# Marks requests of tests that put a secret into an address themselves, which the web server logs.
PUT_IN_ADDRESS = "put-into-this-address-by=a-test"


def leaks_in(text: str, known: Iterable[str]) -> list[str]:
    """The lines that hold a credential, or one of the secrets that are known."""
    secrets = [each for each in known if each]
    return [
        line
        for line in text.splitlines()
        if PUT_IN_ADDRESS not in line
        and (CREDENTIAL.search(line) or any(secret in line for secret in secrets))
    ]
