"""Finds the encoding of a text file without ever holding the file."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from charset_normalizer import from_bytes
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

CHUNK = 64 * 1024
HEAD = 4096
# charset-normalizer takes seconds for a megabyte and learns little from it.
SAMPLE = 16 * 1024

# The longer marks first: UTF-32 LE begins like UTF-16 LE.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SIGNATURES = {
    b"PK\x03\x04": "XLSX / ZIP",
    b"\xd0\xcf\x11\xe0": "XLS",
    b"%PDF": "PDF",
    b"\x1f\x8b": "GZIP",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
# What spreadsheets and mail programs still write, besides Unicode.
LEGACY = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "mac_roman"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr"),
]
# Most files that are not Unicode are Western European, so another guess has to be clearly better.
USUAL = "cp1252"
CLEARLY = 0.05


class FileEncoding(TextChoices):
    """What a person can choose when the guess was wrong."""

    UNICODE = "utf-8-sig", gettext_lazy("Unicode (UTF-8)")
    UNICODE_16 = "utf-16", gettext_lazy("Unicode (UTF-16)")
    WESTERN = "cp1252", gettext_lazy("Western European (Windows-1252)")
    CENTRAL = "cp1250", gettext_lazy("Central European (Windows-1250)")
    CYRILLIC = "cp1251", gettext_lazy("Cyrillic (Windows-1251)")
    GREEK = "cp1253", gettext_lazy("Greek (Windows-1253)")
    TURKISH = "cp1254", gettext_lazy("Turkish (Windows-1254)")
    JAPANESE = "cp932", gettext_lazy("Japanese (Shift JIS)")
    CHINESE = "gb18030", gettext_lazy("Chinese, simplified (GB 18030)")
    TAIWANESE = "big5", gettext_lazy("Chinese, traditional (Big5)")
    KOREAN = "cp949", gettext_lazy("Korean (EUC-KR)")


class UnreadableFileError(Exception):
    """An uploaded file cannot be used; the text tells its owner why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """A Python codec, and whether it is a guess that a person should look at."""

    name: str
    guessed: bool = False


def find_encoding(open_file: Callable[[], BinaryIO], wanted: str = "") -> Encoding:
    """Find an encoding in which the whole file can be read; `UnreadableFileError` if there is none.

    `wanted` names a codec and ends the search. A byte-order mark decides; otherwise it is UTF-8
    if every byte fits, because other encodings hardly ever look like it; otherwise a guess from
    the part with the first foreign bytes.
    """
    with open_file() as file:
        head = file.read(HEAD)
    for signature, kind in SIGNATURES.items():
        if head.startswith(signature):
            raise UnreadableFileError(
                _("This is a %(kind)s file, not a text file. Save it as CSV first.")
                % {"kind": kind}
            )
    if wanted:
        return _whole_or_error(open_file, wanted)
    for mark, name in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return _whole_or_error(open_file, name)
    if name := _utf_16_without_mark(head):
        return _whole_or_error(open_file, name)
    if head.count(0) > len(head) // 500 + 1:
        raise UnreadableFileError(
            _("This is a binary file, not a text file. Save it as CSV first.")
        )
    wrong_at = first_undecodable(open_file, "utf-8")
    return Encoding(name="utf-8") if wrong_at is None else _guess(open_file, wrong_at)


def spoken(name: str) -> str:
    """The name of a codec as people know it: a byte-order mark makes no other encoding."""
    return name.removesuffix("-sig").upper() if name.startswith("utf") else name


def first_undecodable(open_file: Callable[[], BinaryIO], name: str) -> int | None:
    """The offset of the first byte that does not fit the codec, give or take one character."""
    decoder = codecs.getincrementaldecoder(name)()
    read = 0
    with open_file() as file:
        for chunk in _chunks(file):
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # `error.start` counts from bytes that the decoder kept of the chunk before.
                return max(0, read + error.start - (len(error.object) - len(chunk)))
            read += len(chunk)
    return None


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces, and a last empty one."""
    while chunk := file.read(CHUNK):
        yield chunk
    yield b""


def _whole_or_error(open_file: Callable[[], BinaryIO], name: str) -> Encoding:
    wrong_at = first_undecodable(open_file, name)
    if wrong_at is None:
        return Encoding(name=name)
    raise UnreadableFileError(
        _(
            "The file cannot be read as %(name)s: byte %(offset)d does not fit. "
            "Choose another encoding, or save the file as UTF-8."
        )
        % {"name": spoken(name).upper(), "offset": wrong_at + 1}
    )


def _utf_16_without_mark(head: bytes) -> str:
    """A header in Latin letters has a NUL in every second byte of UTF-16."""
    half = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.1:
        return "utf-16-be"
    return ""


def _guess(open_file: Callable[[], BinaryIO], wrong_at: int) -> Encoding:
    with open_file() as file:
        file.seek(max(0, wrong_at - SAMPLE // 4))
        sample = file.read(SAMPLE)
    # Up to a line's end, so that no character is cut in two.
    matches = from_bytes(sample[: sample.rfind(b"\n") + 1] or sample, cp_isolation=LEGACY)
    chaos = {match.encoding: match.chaos for match in matches}
    names = sorted(chaos, key=lambda name: chaos[name] - (CLEARLY if name == USUAL else 0))
    for name in [*names, USUAL]:
        if first_undecodable(open_file, name) is None:
            return Encoding(name=name, guessed=True)
    raise UnreadableFileError(
        _("The file is in none of the known encodings (byte %(offset)d). Save it as UTF-8.")
        % {"offset": wrong_at + 1}
    )
