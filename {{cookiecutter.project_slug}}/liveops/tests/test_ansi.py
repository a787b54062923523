"""Colours of the terminal, and nothing else that a terminal would do."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveops.ansi import COLOURS, MOST_SPANS, ansi_html, shorten, without_ansi
from liveops.fragments import render_line
from liveops.models.log import LogLine
from liveops.tests.test_visible import Reader

ESC = "\x1b"
PIECES = [
    *(ESC, f"{ESC}[", f"{ESC}]8;;", f"{ESC}P", f"{ESC}\\", "\x07", "\x9b", "\x9c", "m", ";", ":"),
    *("0", "1", "31", "38;5;", "38:2::1:2:3", "48;2;", "999", "?25l", "2K", "\r", "\n", "<b>"),
    *('"', "&", "é", "e\u0301", "\u202e", "\u200d", "👩"),
]
like_ansi = st.lists(
    st.sampled_from(PIECES) | st.characters(codec=None),
    max_size=40,
).map("".join)


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("plain <b>", "plain &lt;b&gt;"),
        ("\x1b[31mred\x1b[0m not", '<span class="ansi-red">red</span> not'),
        ("\x1b[31mred\x1b[m not", '<span class="ansi-red">red</span> not'),
        ("\x1b[1;32mgo", '<span class="ansi-bold ansi-green">go</span>'),
        ("\x1b[91mhot", '<span class="ansi-bright-red">hot</span>'),
        ("\x1b[44mpool\x1b[49m", '<span class="ansi-on-blue">pool</span>'),
        ("\x1b[107mpaper", '<span class="ansi-on-bright-white">paper</span>'),
        ("\x1b[2md\x1b[22m.", '<span class="ansi-dim">d</span>.'),
        ("\x1b[3mi\x1b[23m.", '<span class="ansi-italic">i</span>.'),
        ("\x1b[4mu\x1b[24m.", '<span class="ansi-underline">u</span>.'),
        ("\x1b[4:3mu\x1b[4:0m.", '<span class="ansi-underline">u</span>.'),
        ("\x1b[7mi\x1b[27m.", '<span class="ansi-inverse">i</span>.'),
        ("\x1b[31ma\x1b[32mb", '<span class="ansi-red">a</span><span class="ansi-green">b</span>'),
        ("\x1b[31m\x1b[39mnone", "none"),
        ("\x1b[31;0mnone", "none"),
        ("\x1b[38;5;9mx", '<span class="ansi-bright-red">x</span>'),
        ("\x1b[38;5;196mx", '<span class="ansi-bright-red">x</span>'),
        ("\x1b[38;5;244mx", '<span class="ansi-bright-black">x</span>'),
        ("\x1b[38;2;0;200;10mx", '<span class="ansi-green">x</span>'),
        ("\x1b[38:2::0:200:10mx", '<span class="ansi-green">x</span>'),
        ("\x1b[48:5:21mx", '<span class="ansi-on-blue">x</span>'),
        ("\x1b[58;5;9;1mx", '<span class="ansi-bold">x</span>'),
        ("\x1b[8mnever hidden", "never hidden"),
        ("\x1b[31m", ""),
        ("\x1b[31m<i>\x1b[0m&", '<span class="ansi-red">&lt;i&gt;</span>&amp;'),
    ],
)
def test_colours(text, markup):
    assert ansi_html(text) == markup


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2K\x1b[1A\x1b[?25lb", "ab"),  # moves the cursor, hides it
        ("a\x1b(B\x1b7\x1bcb", "ab"),  # chooses letters, resets
        ("\x1b]0;a title\x07b", "[U+001B]b"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\.", "[U+001B]link[U+001B]."),
        ("\x1b]52;c;ZXZpbA==\x07", "[U+001B]"),
        ("\x1bPq#0;2;0;0;0\x1b\\b", "[U+001B]b"),
        ("\x1b_G\x1b\\\x1b^x\x9c\x1bXy\x07b", "[U+001B][U+001B][U+001B]b"),
        ("a\x1b", "a[U+001B]"),
        ("a\x1b[", "a[U+001B]["),
        ("a\x1b[31", "a[U+001B][31"),
        ("a\x1b]0;never ends", "a[U+001B]]0;never ends"),
        ("a\x1b]0;not\nhere\x07", "a[U+001B]]0;not\nhere[U+0007]"),
        ("a\x1b\x1b[0mb", "a[U+001B]b"),
        ("a\x9b31mb", "a[U+009B]31mb"),  # the introducer of eight bits is no introducer here
        ("10 %\r\x1b[K20 %\r\n", "10 %[U+000D]20 %\n"),
    ],
)
def test_everything_else_is_dropped_or_leaves_a_mark(text, shown):
    assert Reader(ansi_html(text)).text == shown
    assert without_ansi(text) == shown


def test_every_colour_has_a_class():
    for number, name in enumerate(COLOURS):
        assert f'"ansi-{name}"' in ansi_html(f"\x1b[38;5;{number}mx")
        assert f'"ansi-on-{name}"' in ansi_html(f"\x1b[48;5;{number}mx")


def test_all_256_and_any_other_number_is_a_colour_or_none():
    for number in range(1100):
        Reader(ansi_html(f"\x1b[38;5;{number}mx\x1b[38;2;{number};{number};{number}my"))
    assert ansi_html(f"\x1b[{'9' * 5000}mx") == "x"


def test_a_style_ends_with_its_line():
    red, plain = (render_line(n, LogLine(0, "info", t)) for n, t in [(1, "\x1b[31mred"), (2, "x")])
    assert "ansi-red" in red
    assert red.count("<span") == red.count("</span>")
    assert "ansi" not in plain


@given(like_ansi)
def test_whatever_comes_is_balanced_inert_and_says_the_same_as_the_plain_text(text):
    text = text.replace("\x00", "")
    reader = Reader(ansi_html(text))
    assert reader.open == []
    assert {name for name, _value in reader.attributes} <= {"class", "title"}
    assert ESC not in reader.text
    assert "\r" not in reader.text
    assert reader.text.replace("\n", "") == without_ansi(text).replace("\n", "")


@given(like_ansi, st.integers(1, 40))
def test_a_cut_line_is_balanced(text, most):
    shown = shorten(text, most)
    assert len(shown) <= most
    assert text.startswith(shown)
    assert Reader(ansi_html(shown.replace("\x00", ""))).open == []


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("12345", 5, "12345"),
        ("123456", 5, "12345"),
        ("123\x1b[31mred", 5, "123"),
        ("123\x1b[31mred", 8, "123\x1b[31m"),
        ("12\x1b]0;title\x1b\\x", 11, "12"),
        ("12\x1b]0;never ends and so on", 6, "12\x1b]0;"),
        ("cafe\u0301s", 4, "caf"),
        ("ab👩\u200d🚀", 4, "ab"),
        ("ab👩\u200d🚀", 3, "ab"),
        ("e" + "\u0301" * 300, 200, "e" + "\u0301" * 99),
    ],
)
def test_a_line_is_cut_where_nothing_is_torn(text, most, shown):
    assert shorten(text, most) == shown


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "\x1b[31mx",
            "\x1b[",
            "\x1b]0;",
            "\x1b]0;\x1b",
            "\x1b[" + "1;" * 50 + "m",
            "\x1bP",
            "\u202e",
        ),
        *("\x1b", "\r", "<", "\x1b[1;2;3;4;5;31;42mx", "\x1b]8;;x\x07", "\x1b[38;2;1;2;3mx"),
    ],
)
def test_hostile_lines_take_no_longer_than_their_length_asks_for(piece):
    def took(length: int) -> float:
        text = (piece * length)[:length]
        began = time.perf_counter()
        for cut in (text, "\x1b[" + text, text + "\x1b"):
            ansi_html(cut)
            without_ansi(cut)
            shorten(cut, length // 2)
        return time.perf_counter() - began

    # Ten times the length: were it the square, a hundred times the time.
    assert min(took(40_000) for _ in range(2)) < 40 * max(took(4_000), 0.001)


def test_a_line_does_not_become_a_page():
    colours = "".join(f"\x1b[{31 + n % 7}mx" for n in range(2_000))
    assert ansi_html(colours).count("<span") == MOST_SPANS
    marks = "".join(f"\x1b[{31 + n % 7}m\u202e" for n in range(2_000))
    assert len(ansi_html(marks)) < 40_000
    assert Reader(ansi_html(colours)).text == "x" * 2_000
