"""What a page shows, rebuilt from frames by the rules of the wire protocol.

Written from the protocol and not from the browser's code, so that the two check each other.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.live_page import Line, LivePage, read_lines

MOST_LINES = 2000
# What the engine itself adds to the log of a run that somebody cancels.
CANCEL_REQUESTED = "Cancel requested: the run ends at its next check."


@dataclass
class LiveView:
    attempt: int
    seq: int
    state: str
    lines: list[Line]
    parts: dict[str, str] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    redirect: str = ""
    # What must not happen: a frame from the past, a log whose numbers do not fit its lines.
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of_page(cls, page: LivePage) -> "LiveView":
        attempt, seq = page.position
        return cls(attempt, seq, page.state, list(page.lines))

    @property
    def last_line(self) -> int:
        return self.lines[-1].number if self.lines else 0

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    def apply(self, message: dict[str, Any]) -> None:
        """Takes a frame or a snapshot."""
        if message["type"] == "snapshot":
            self.lines, self.parts, self.regions = [], {}, {}
        elif (message["attempt"], message["seq"]) <= (self.attempt, self.seq):
            self.problems.append(f"frame {message['attempt']}/{message['seq']} after {self.seq}")
            return
        self.attempt, self.seq = message["attempt"], message["seq"]
        self.state = message["state"]
        self.parts |= message.get("parts", {})
        self.regions |= message.get("regions", {})
        self.redirect = message.get("redirect", self.redirect)
        if log := message.get("log"):
            self._take_log(log)

    def _take_log(self, log: dict[str, Any]) -> None:
        lines = read_lines(log["html"])
        numbers = [line.number for line in lines]
        if numbers != list(range(log["first"], log["last"] + 1)):
            self.problems.append(f"log {log['first']}-{log['last']} brings lines {numbers}")
        if log["first"] > self.last_line + 1:
            self.lines = []
        last = self.last_line
        self.lines += [line for line in lines if line.number > last]
        self.lines = self.lines[-MOST_LINES:]
