"""Reads what the live page says, from its HTML."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(frozen=True)
class Line:
    number: int
    level: str
    text: str


@dataclass
class LivePage:
    """The attributes of `<live-operation>`, and the log lines within it."""

    attributes: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.attributes["state"]

    @property
    def position(self) -> tuple[int, int]:
        """Attempt and seq."""
        return int(self.attributes["data-liveop-attempt"]), int(self.attributes["data-liveop-seq"])


class _Reader(HTMLParser):
    """Collects `<live-operation>` and `<li data-line="…">`; a line's `<time>` is no text of it."""

    def __init__(self) -> None:
        super().__init__()
        self.page = LivePage()
        self._line: dict[str, str] | None = None
        self._text = ""
        self._in_time = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "live-operation":
            self.page.attributes = attributes
        elif tag == "li" and "data-line" in attributes:
            self._line, self._text = attributes, ""
        elif tag == "time":
            self._in_time = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "time":
            self._in_time = False
        elif tag == "li" and self._line is not None:
            number, level = int(self._line["data-line"]), self._line.get("data-level", "")
            self.page.lines.append(Line(number, level, self._text.strip()))
            self._line = None

    def handle_data(self, data: str) -> None:
        if self._line is not None and not self._in_time:
            self._text += data


def read_page(html: str) -> LivePage:
    """Raises AssertionError when `html` has no `<live-operation>`."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if not reader.page.attributes:
        raise AssertionError(f"No <live-operation> in this page:\n{html}")
    return reader.page


def read_lines(html: str) -> list[Line]:
    """The log lines of a fragment."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page.lines
