"""Terminal colours in log lines.

Colours and emphasis become classes of the stylesheet; every other complete sequence is dropped, and
what is hidden in one (a title, an address) leaves a mark, as does a sequence that never ends. Each
piece of text is escaped by itself and has a `<span>` of its own, so that nothing stays open.
"""

import functools
import html
import re
import unicodedata
from collections.abc import Iterator

from liveops.visible import JOINERS, MOST_MARKS, as_element, mark, visible_text, with_line_feeds

# More pieces of colour than that in a line are no help to a reader: the rest of it has none.
MOST_SPANS = 200
# A line is cut by so much before its limit if that keeps a sequence or a composed letter whole.
MOST_TORN = 100

ESC = "\x1b"
SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[(?P<style>[0-9:;]*+)m"
    r"|\[[0-?]*+[ -/]*+[@-~]"
    # Strings: titles, links, clipboards, and whatever else a terminal is told.
    r"|(?P<string>[\]PX^_][^\x07\x1b\x9c\n]*+(?:\x07|\x1b\\|\x9c))"
    r"|(?![\[\]PX^_])[ -/]*+[0-~]"
    r")"
)

NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
COLOURS = [*NAMES, *(f"bright-{name}" for name in NAMES)]
# Of the 16 colours, to find the nearest one.
SHADES = [
    *[(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)],
    *[(0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)],
    *[(127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)],
    *[(92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)],
]
CUBE = (0, 95, 135, 175, 215, 255)

# Code → what it sets, and to which class; "" takes it away.
CODES: dict[int, dict[str, str]] = {
    1: {"bold": "bold"},
    2: {"dim": "dim"},
    3: {"italic": "italic"},
    4: {"underline": "underline"},
    7: {"inverse": "inverse"},
    21: {"underline": "underline"},
    22: {"bold": "", "dim": ""},
    23: {"italic": ""},
    24: {"underline": ""},
    27: {"inverse": ""},
    39: {"colour": ""},
    49: {"on": ""},
    **{30 + i: {"colour": COLOURS[i]} for i in range(8)},
    **{90 + i: {"colour": COLOURS[8 + i]} for i in range(8)},
    **{40 + i: {"on": f"on-{COLOURS[i]}"} for i in range(8)},
    **{100 + i: {"on": f"on-{COLOURS[8 + i]}"} for i in range(8)},
}
EXTENDED = {38: ("colour", ""), 48: ("on", "on-"), 58: ("", "")}


def ansi_html(text: str) -> str:
    """One log line as HTML. The style ends with the line."""
    text = with_line_feeds(text)
    if ESC not in text:
        return mark(html.escape(text), as_element)[0]
    line = _Line()
    end = 0
    for found in SEQUENCE.finditer(text):
        line.add(text[end : found.start()])
        end = found.end()
        if found["string"]:
            line.add(ESC)
        elif found["style"] is not None:
            line.change(found["style"])
    line.add(text[end:])
    return "".join(line.pieces)


def without_ansi(text: str) -> str:
    """One log line as plain text with marks."""
    if ESC in text:
        text = SEQUENCE.sub(lambda found: ESC if found["string"] else "", text)
    return visible_text(text)


def shorten(text: str, most: int) -> str:
    """The first characters, at most `most`; tears no sequence and no composed letter apart."""
    if len(text) <= most:
        return text
    end = most
    least = max(1, most - MOST_TORN)
    while (start := text.rfind(ESC, least, end)) >= 0:
        found = SEQUENCE.match(text, start, most + MOST_TORN)
        if found is None or found.end() <= end:
            break
        end = start
    while end > least and (_combines(text[end]) or text[end - 1] in JOINERS):
        end -= 1
    return text[:end]


class _Line:
    """The pieces of a line, and the style that the next one has."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._style: dict[str, str] = {}
        self._spans = 0
        self._marks = 0

    def add(self, text: str) -> None:
        if not text:
            return
        markup, marks = mark(html.escape(text), as_element, MOST_MARKS - self._marks)
        self._marks += marks
        classes = " ".join(f"ansi-{name}" for name in self._style.values() if name)
        if classes:
            self._spans += 1
            markup = f'<span class="{classes}">{markup}</span>'
        self.pieces.append(markup)

    def change(self, parameters: str) -> None:
        if self._spans >= MOST_SPANS:
            self._style = {}
            return
        for changes in _changes(parameters):
            self._style = {**self._style, **changes} if changes else {}


def _changes(parameters: str) -> Iterator[dict[str, str]]:
    """What the codes of a sequence change, in order; {} takes all away."""
    codes = iter(parameters.split(";"))
    for code in codes:
        # With colons, one parameter holds all of a colour: 38:2::255:0:0.
        number, *rest = code.split(":")
        if _number(number) in EXTENDED:
            what, prefix = EXTENDED[_number(number)]
            colour = _colour([part for part in rest if part]) if rest else _colour(codes)
            if what and colour:
                yield {what: prefix + colour}
        elif rest and number == "4" and rest[0] == "0":
            yield {"underline": ""}
        elif _number(number) == 0:
            yield {}
        elif _number(number) in CODES:
            yield CODES[_number(number)]


def _colour(parts: "Iterator[str] | list[str]") -> str:
    """The nearest of our colours to `5;n` or `2;r;g;b`, or "" when that is none."""
    parts = iter(parts)
    match next(parts, ""):
        case "5":
            return _of_256(_number(next(parts, "")))
        case "2":
            red, green, blue = (_number(next(parts, "")) for _ in range(3))
            return _nearest(red, green, blue)
    return ""


def _of_256(number: int) -> str:
    if number < 16:
        return COLOURS[number]
    if number < 232:
        number -= 16
        return _nearest(CUBE[number // 36], CUBE[number // 6 % 6], CUBE[number % 6])
    grey = 8 + 10 * (min(number, 255) - 232)
    return _nearest(grey, grey, grey)


@functools.lru_cache(maxsize=1024)
def _nearest(*shade: int) -> str:
    def distance(index: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(shade, SHADES[index], strict=True))

    return COLOURS[min(range(len(COLOURS)), key=distance)]


def _number(digits: str) -> int:
    """0 where there is none, as a terminal reads it; what is too long is no code."""
    return int(digits or 0) if len(digits) < 4 else 999


def _combines(char: str) -> bool:
    return unicodedata.category(char).startswith("M") or char in JOINERS
