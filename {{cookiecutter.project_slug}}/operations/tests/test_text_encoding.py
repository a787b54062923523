from collections.abc import Callable
from io import BytesIO

import pytest

from operations.text_encoding import (
    CHUNK,
    FileEncoding,
    UnreadableFileError,
    find_encoding,
    first_undecodable,
)

WESTERN = "name;email\r\nJosé García;jose@example.com\r\nJürgen Groß;j@example.com\r\n"
CYRILLIC = "имя;email\r\nИван Петров;i@example.com\r\nОльга Смирнова;o@example.com\r\n"  # noqa: RUF001
GREEK = "name;email\r\nΓιώργος Παπαδόπουλος;g@example.com\r\nΜαρία Νικολάου;m@example.com\r\n"  # noqa: RUF001
JAPANESE = "name,email\r\n山田太郎,y@example.com\r\n鈴木一郎,s@example.com\r\n"
CHINESE = "name,email\r\n王小明,w@example.com\r\n李雷和韩梅梅,l@example.com\r\n"


def opener(content: bytes) -> Callable[[], BytesIO]:
    return lambda: BytesIO(content)


def read(content: bytes, wanted: str = "") -> str:
    encoding = find_encoding(opener(content), wanted)
    return content.decode(encoding.name)


@pytest.mark.parametrize(
    "codec",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"],
)
def test_western_text_is_read_in_every_usual_encoding(codec: str) -> None:
    assert read(WESTERN.encode(codec)) == WESTERN


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (CYRILLIC, "cp1251"),
        (CYRILLIC, "utf-8"),
        (CYRILLIC, "utf-16"),
        (GREEK, "cp1253"),
        (JAPANESE, "cp932"),
        (JAPANESE, "utf-8-sig"),
        (CHINESE, "utf-16"),
    ],
)
def test_other_scripts_are_read(text: str, codec: str) -> None:
    assert read(text.encode(codec)) == text


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_big_and_little_endian_are_told_apart_by_the_mark(mark: bytes) -> None:
    codec = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert read(mark + WESTERN.encode(codec)) == WESTERN


def test_only_a_guess_is_called_a_guess() -> None:
    assert find_encoding(opener(WESTERN.encode("cp1252"))).guessed
    assert not find_encoding(opener(WESTERN.encode())).guessed
    assert not find_encoding(opener(WESTERN.encode("utf-16"))).guessed
    assert not find_encoding(opener(WESTERN.encode("cp1252")), "cp1252").guessed


def test_the_first_accent_may_come_long_after_the_beginning() -> None:
    plain = "Ann Smith;ann@example.com\r\n" * 20_000
    content = (plain + "Zoë Müller;z@example.com\r\n" + plain).encode("cp1252")
    assert len(content) > 10 * CHUNK
    assert read(content).splitlines()[20_000] == "Zoë Müller;z@example.com"


def test_a_character_may_lie_across_two_chunks() -> None:
    content = b"x" * (CHUNK - 1) + "é".encode() + b"y" * CHUNK
    assert find_encoding(opener(content)).name == "utf-8"


def test_the_offset_of_a_wrong_byte_counts_from_the_beginning_of_the_file() -> None:
    content = b"x" * (CHUNK + 10) + b"\xff" + b"y" * 10
    assert first_undecodable(opener(content), "utf-8") == CHUNK + 10


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("name;email\r\nŁukasz Żółć;l@example.com\r\n", FileEncoding.CENTRAL),
        (CHINESE, FileEncoding.CHINESE),
        (WESTERN, FileEncoding.UNICODE_16),
    ],
)
def test_what_somebody_chose_is_used_where_a_guess_may_be_wrong(text: str, encoding: str) -> None:
    assert read(text.encode(encoding), encoding) == text


@pytest.mark.parametrize("encoding", FileEncoding.values)
def test_every_encoding_on_offer_is_known_to_python(encoding: str) -> None:
    assert read("name,email\n".encode(encoding), encoding).endswith("name,email\n")


def test_a_choice_that_does_not_fit_is_refused_with_the_place() -> None:
    with pytest.raises(UnreadableFileError, match=r"UTF-8: byte 16 does not fit"):
        find_encoding(opener(WESTERN.encode("cp1252")), "utf-8-sig")


def test_a_mark_that_the_rest_does_not_keep_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="UTF-16"):
        find_encoding(opener(b"\xff\xfen\x00a\x00m"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + bytes(200), "XLSX"),
        (b"\xd0\xcf\x11\xe0" + bytes(200), "XLS"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00", "GZIP"),
    ],
)
def test_a_known_kind_of_file_is_named(content: bytes, kind: str) -> None:
    with pytest.raises(UnreadableFileError, match=kind):
        find_encoding(opener(content))


def test_a_binary_file_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="binary"):
        find_encoding(opener(b"\x7fELF" + bytes(range(256)) * 20 + bytes(500)))


def test_bytes_that_no_encoding_has_are_refused() -> None:
    content = b"name,email\n" + bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xFF, 0xFE, 0x80]) * 30
    with pytest.raises(UnreadableFileError, match=r"byte 12\). Save it as UTF-8"):
        find_encoding(opener(content))
