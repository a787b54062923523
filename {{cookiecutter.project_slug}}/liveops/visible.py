"""What nobody sees, or what changes the order of the rest, is shown by its number: [U+202E].

A name that reads "invoice\u202efdp.exe" in a file looks like another name on the page. Ordinary
text of every script stays as it is, with the joiners and variation selectors that it needs.
"""

import functools
import html
import re
import unicodedata
from collections.abc import Callable

# A longer series of them says no more, and must not make a page of a line.
MOST_MARKS = 100
INSTEAD = "\ufffd"

JOINERS = "\u200c\u200d"
SELECTORS = "\ufe00-\ufe0f"
MONGOLIAN_SELECTORS = "\u180b-\u180d\u180f"
IDEOGRAPH_SELECTORS = "\U000e0100-\U000e01ef"
# The flags of England, Scotland and Wales: a black flag, five letters, an end.
FLAG = "\U0001f3f4[\U000e0061-\U000e007a]{5}\U000e007f"

# Controls but tab and line feed; line and paragraph separators; what Unicode calls ignorable, such
# as zero-width spaces, bidirectional controls and tags; noncharacters.
ALWAYS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
SUSPECT = re.compile(f"[{ALWAYS}{JOINERS}{SELECTORS}{MONGOLIAN_SELECTORS}{IDEOGRAPH_SELECTORS}]")
ASCII_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
UNSEEN = re.compile(
    f"(?P<flag>{FLAG})|(?P<always>[{ALWAYS}])|(?P<joiner>[{JOINERS}])|(?P<selector>[{SELECTORS}])"
    f"|(?P<mongolian>[{MONGOLIAN_SELECTORS}])|(?P<ideograph>[{IDEOGRAPH_SELECTORS}])"
)
# After such a character, one of the group does what it is for.
BELONGS_AFTER = {
    "always": re.compile("(?!)"),
    # Letters of scripts that join, symbols and emoji.
    "joiner": re.compile(
        "[\u0590-\u109f\u1200-\u1dbf\u2190-\u2bff\u3030\u303d\u3297\u3299\ua800-\uabff"
        "\ufb1d-\ufdcf\ufe0f\ufe70-\ufefc\U00010a00-\U00011fff\U0001e800-\U0001faff]"
    ),
    # Keys, signs, symbols, ideographs and emoji.
    "selector": re.compile(
        "[0-9#*©®\u1000-\u109f\u203c\u2049\u2100-\u2bff\u3001-\u303f\u3297\u3299\u3400-\u9fff"
        "\ua840-\ua87f\uf900-\ufaff\uff01-\uff1f\U0001f000-\U0001faff\U00020000-\U0003ffff]"
    ),
    "mongolian": re.compile("[\u1820-\u18aa]"),
    "ideograph": re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
}


def is_plain(text: str) -> bool:
    """Whether there is nothing to make visible."""
    if text.isascii():
        # Most lines end here: the quickest way to say so.
        return text.isprintable() or ASCII_CONTROL.search(text) is None
    return SUSPECT.search(text) is None


def visible_text(text: str) -> str:
    """`text` with marks, for places that hold no markup: titles, attributes, files."""
    return mark(with_line_feeds(text), as_text)[0]


def visible_html(markup: str, most: int = MOST_MARKS) -> str:
    """HTML with marks. In an attribute or a title, where none belongs, a mark breaks nothing."""
    return mark(with_line_feeds(markup), as_element, most)[0]


def escape(text: str) -> str:
    """Plain text as HTML, with marks."""
    return visible_html(html.escape(text))


def with_line_feeds(text: str) -> str:
    """CR LF is a line break, and so is a CR at the end; elsewhere it would hide what is before."""
    return text.replace("\r\n", "\n").removesuffix("\r") if "\r" in text else text


def mark(text: str, show: Callable[[str], str], most: int = MOST_MARKS) -> tuple[str, int]:
    """Replace what is unseen, `most` times by what `show` gives; also return how often it was."""
    if is_plain(text):
        return text, 0
    count = 0

    def replaced(found: re.Match[str]) -> str:
        nonlocal count
        group = str(found.lastgroup)
        before = found.string[found.start() - 1 : found.start()]
        if group == "flag" or BELONGS_AFTER[group].match(before):
            return found[0]
        count += 1
        return show(found[0]) if count <= most else INSTEAD

    return UNSEEN.sub(replaced, text), count


def as_text(char: str) -> str:
    return f"[U+{ord(char):04X}]"


@functools.lru_cache(maxsize=512)
def as_element(char: str) -> str:
    # No quotes and no spaces: within an attribute of a template this would end nothing.
    name = unicodedata.name(char, "").replace(" ", "&#32;")
    title = f" title={name}" if name else ""
    return f"<span class=unseen{title}>{as_text(char)}</span>"
