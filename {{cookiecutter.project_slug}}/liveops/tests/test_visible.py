"""What nobody sees is shown by its number; what people write is left alone."""

import sys
import unicodedata
from html.parser import HTMLParser

import pytest
from django.template import engines
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from liveops.visible import MOST_MARKS, escape, is_plain, visible_html, visible_text

any_text = st.text(st.characters(codec=None))


class Reader(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a\tb\nc",
        "no\u00a0break, thin\u2009space",
        "שלום עולם",
        "العربية",
        "می\u200cخوریم",  # Persian cannot be spelled without the joiner
        "क्\u200dष",
        "ශ්\u200dරී",
        "👩\u200d👩\u200d👧\u200d👦 👩🏽\u200d🚀 🏳️\u200d🌈 ❤️\u200d🔥 🏴\u200d☠️",
        "1️⃣ #️⃣ ☎️ ✈︎ ©️ 〰️ 🇪🇺",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        "葛\U000e0100城",
        "ᠮᠣᠩ\u180bᠭᠣᠯ",
        "Zürich, Łódź, e\u0301, 東京, 한국어, ไทย",
        "⠋ ⠀ ▓░ │",
    ],
)
def test_ordinary_text_stays(text):
    assert visible_text(text) == text
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invoice\u202efdp.exe", "invoice[U+202E]fdp.exe"),
        ("\u061c\u200e\u200f", "[U+061C][U+200E][U+200F]"),
        ("\u202a\u202b\u202c\u202d", "[U+202A][U+202B][U+202C][U+202D]"),
        ("\u2066\u2067\u2068\u2069", "[U+2066][U+2067][U+2068][U+2069]"),
        ("pay\u200bpal pay\u200cpal pay\u200dpal", "pay[U+200B]pal pay[U+200C]pal pay[U+200D]pal"),
        ("\u200dstart", "[U+200D]start"),
        ("م\u200c\u200c\u200d", "م\u200c[U+200C][U+200D]"),
        ("a\ufe0fb", "a[U+FE0F]b"),
        ("☎️\ufe0f", "☎️[U+FE0F]"),
        ("a\U000e0100", "a[U+E0100]"),
        ("a\u180b", "a[U+180B]"),
        ("soft\u00adhyphen", "soft[U+00AD]hyphen"),
        ("\ufeffbyte order", "[U+FEFF]byte order"),
        ("word\u2060joiner\u2063", "word[U+2060]joiner[U+2063]"),
        ("fillers \u3164\u115f\uffa0", "fillers [U+3164][U+115F][U+FFA0]"),
        ("a\u2028b\u2029c\u0085d", "a[U+2028]b[U+2029]c[U+0085]d"),
        (
            "\x01\x07\x08\x0b\x0c\x7f\x9b",
            "[U+0001][U+0007][U+0008][U+000B][U+000C][U+007F][U+009B]",
        ),
        ("10 %\r20 %\r", "10 %[U+000D]20 %"),
        ("from Windows\r\nand more\r\n", "from Windows\nand more\n"),
        ("\x1b[31mred", "[U+001B][31mred"),
        ("hi \U000e0068\U000e0069", "hi [U+E0068][U+E0069]"),
        ("🏴\U000e0067\U000e0062\U000e0001", "🏴[U+E0067][U+E0062][U+E0001]"),
        ("\uffff\ufdd0\ufff9", "[U+FFFF][U+FDD0][U+FFF9]"),
    ],
)
def test_what_hides_or_turns_is_shown(text, shown):
    assert visible_text(text) == shown
    assert Reader(escape(text)).text == shown


def test_a_mark_says_what_it_is():
    mark = Reader(escape("\u202e"))
    assert mark.attributes == [("class", "unseen"), ("title", "RIGHT-TO-LEFT OVERRIDE")]
    assert Reader(escape("\x01")).attributes == [("class", "unseen")]


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_mark_within_an_attribute_ends_nothing(quote):
    markup = f"<a title={quote}a\u202eb{quote} rel=x>c</a>"
    names = [name for name, _value in Reader(visible_html(markup)).attributes]
    assert names == ["title", "rel"]


def test_so_many_marks_and_no_more():
    shown = visible_text("\u200b" * (MOST_MARKS + 7))
    assert shown == "[U+200B]" * MOST_MARKS + "\ufffd" * 7
    assert len(escape("\u200b" * 4000)) < 40_000


def test_no_control_and_nothing_that_turns_or_hides_is_left_out():
    """By Unicode's own tables, as far as Python has them."""
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        unseen = unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}
        turns = unicodedata.bidirectional(char) in {"LRE", "RLE", "LRO", "RLO", "PDF", "BN"}
        if (unseen or turns) and char not in "\t\n" and not 0x600 <= code <= 0x8E2:
            # Signs that are seen, though Unicode counts them among the format characters.
            seen = code in {0x110BD, 0x110CD} or 0x13430 <= code <= 0x1345F
            assert is_plain(char) is seen, hex(code)


@given(any_text)
def test_whatever_comes_is_balanced_and_keeps_its_order(text):
    reader = Reader(escape(text.replace("\r", "").replace("\x00", "")))
    assert reader.open == []
    assert reader.text == visible_text(text.replace("\r", "").replace("\x00", ""))
    assert is_plain(visible_text(text)) or "\u200d" in text or len(text) > 1


@given(any_text)
def test_what_is_visible_stays_so(text):
    once = visible_text(text)
    assert visible_text(once) == once


class TestFilter:
    def render(self, source, **context):
        return engines["django"].from_string("{% load liveops %}" + source).render(context)

    def test_it_escapes(self):
        assert self.render("{{ a|visible }}", a="<b>\u202e") == (
            "&lt;b&gt;<span class=unseen title=RIGHT-TO-LEFT&#32;OVERRIDE>[U+202E]</span>"
        )

    def test_it_leaves_markup_and_values_as_they_are(self):
        assert self.render("{{ a|visible }}", a=mark_safe("<b>x</b>")) == "<b>x</b>"
        assert self.render("{{ a|visible }}{{ b|visible }}", a=None, b=7) == "None7"
        assert self.render("{{ a|visible }}", a=gettext_lazy("a & b")) == "a &amp; b"

    def test_it_cuts(self, settings):
        settings.LIVEOPS = {"LOG_LINE_CHARS": 5}
        assert self.render("{{ a|visible }}", a="123456") == "12345…"

    def test_it_goes_with_line_breaks(self):
        assert self.render("{{ a|visible|linebreaksbr }}", a="<\n\x01") == (
            "&lt;<br><span class=unseen>[U+0001]</span>"
        )

    def test_as_text(self):
        assert self.render("<a title='{{ a|visible_text }}'>", a="'\u202e") == (
            "<a title='&#x27;[U+202E]'>"
        )
        assert self.render("{{ a|visible_text }}", a=gettext_lazy("a & b")) == "a &amp; b"
