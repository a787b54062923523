"""Whatever bytes are uploaded: rows, bad rows, or one clear refusal."""

import hashlib
from functools import partial
from io import BytesIO

import pytest

from operations.contact_file import ContactFile
from operations.text_encoding import UnreadableFileError

HEADERS = [b"name,email\n", b"name;email\r\n", b"\xef\xbb\xbfname,email\n", b"sep=|\nname|email\n"]
# What breaks readers of CSV files, in the pieces of which files are made here.
PIECES = [
    *(b"Ann", b"a@b.cc", b",", b";", b"|", b"\t", b'"', b'""', b"\n", b"\r\n", b"\r", b" "),
    *(b"\x00", b"\xff", b"\xfe", b"\xe9", b"\xc3\xa9", b"\x81", b"\x1a", b"\x0b", b"\x0c", b"\x85"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80"),
    *(b"n\x00a\x00", b"sep=;", b"'=1", b"x" * 300),
]


def hostile(number: int) -> bytes:
    """A file that is always the same for its number."""
    dice = hashlib.shake_256(str(number).encode()).digest(40)
    body = b"".join(PIECES[die % len(PIECES)] for die in dice[1:])
    return HEADERS[dice[0] % len(HEADERS)] + body


@pytest.mark.parametrize("thousand", range(3))
def test_no_bytes_raise_anything_but_a_refusal(thousand: int) -> None:
    read = refused = 0
    for number in range(thousand * 1000, thousand * 1000 + 1000):
        content = hostile(number)
        try:
            file = ContactFile(partial(BytesIO, content))
            first = list(file.contacts())
        except UnreadableFileError as refusal:
            refused += bool(str(refusal))
        else:
            read += 1
            assert list(file.contacts()) == first
    assert read + refused == 1000
    assert min(read, refused) > 50
