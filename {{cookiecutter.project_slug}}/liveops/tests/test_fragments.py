"""Everything that users, files or runs wrote is shown inert."""

import json
from html.parser import HTMLParser

import pytest
from django.utils import timezone
from django.utils.translation import get_language

from liveops.fragments import (
    PARTS,
    frame,
    heartbeat,
    render_line,
    render_log,
    render_part,
    render_result,
)
from liveops.models import State
from liveops.models.log import LogLine
from tests.kinds.models import Chatter, Greeting

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ operation.owner }}{% now 'Y' %}",
    "</li></ol><h1>out</h1>",
    "<!-- --><svg/onload=alert(1)>",
]
NAMES = {"script", "img", "svg", "h1"}


class Elements(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data):
        self.text += data


def assert_inert(markup: str, text: str) -> None:
    page = Elements(markup)
    assert text in page.text
    assert not page.names & NAMES
    assert not {name for name in page.attributes if name.startswith("on")}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_status(text):
    assert_inert(render_part(Greeting(state=State.RUNNING, status_text=text), "status"), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error(text):
    assert_inert(render_part(Greeting(state=State.FAILED, error=text), "result"), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_stage_name(text):
    states = {text: {"state": "active", "started": 1.0, "seconds": None}}
    assert_inert(render_part(Greeting(stage_states=states), "stages"), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_label_and_a_unit(text):
    tracking = {"label": text, "unit": "row", "done": 1, "total": 2, "rate": 1.5, "eta": 2}
    shown = Greeting(state=State.RUNNING, percent=50, tracking=tracking)
    assert_inert(render_part(shown, "progress"), text)
    shown.tracking = {**tracking, "label": "", "unit": text}
    assert_inert(render_part(shown, "progress"), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_keys_and_values_of_a_result(text):
    assert_inert(render_result(Greeting(result_context={text: 1})), text)
    assert_inert(render_result(Greeting(result_context={"a": text})), text)
    assert_inert(render_result(Greeting(result_context={"a": [{"b": text}]})), "b")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_log_line(text):
    markup = render_line(7, LogLine(0, "info", text))
    assert_inert(markup, text)
    assert Elements(markup).names == {"li", "time", "span"}
    assert markup.endswith("</li>")


def test_a_log_line_has_number_level_and_time():
    markup = render_line(7, LogLine(1_700_000_000_123, "warning", "x"))
    assert markup == (
        '<li data-line="7" data-level="warning"><time>22:13:20.123</time> '
        '<span dir="auto">x</span></li>'
    )


def test_a_log_line_is_shown_in_the_time_zone_of_the_site():
    with timezone.override("Asia/Tokyo"):
        assert "<time>07:13:20.123</time>" in render_line(7, LogLine(1_700_000_000_123, "info", ""))


def test_a_long_line_is_cut_with_a_marker(settings):
    settings.LIVEOPS = {"LOG_LINE_CHARS": 10}
    markup = render_line(1, LogLine(0, "info", "<" * 10 + "y" * 7))
    assert Elements(markup).text.endswith("<<<<<<<<<<… 7 more characters")
    assert "more" not in render_line(1, LogLine(0, "info", "x" * 10))


def test_no_lines():
    view = render_log(5, [])
    assert (view.first, view.last, view.html, view.earlier) == (5, 4, "", 4)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_every_state_is_made_without_request_and_database(part, state):
    shown = Chatter(state=state, attempt=2, percent=12.345, stage_states={}, error="no")
    render_part(shown, part)


def test_a_frame_holds_what_is_asked_for_and_nothing_else():
    shown = Greeting(attempt=2, seq=7, state=State.RUNNING)
    message = json.loads(frame("frame", shown, parts=["status"]))
    assert {**message, "parts": list(message["parts"])} == {
        "type": "frame",
        "attempt": 2,
        "seq": 7,
        "state": "RUNNING",
        "parts": ["status"],
    }


def test_a_frame_with_everything():
    log = render_log(3, [LogLine(0, "info", "x")])
    text = frame("snapshot", Greeting(), regions={"#a": "ü"}, log=log, redirect="/there/")
    message = json.loads(text)
    assert set(message["parts"]) == set(PARTS)
    assert message["regions"] == {"#a": "ü"}
    assert message["log"] == {"first": 3, "last": 3, "html": log.html}
    assert message["redirect"] == "/there/"


def test_a_frame_is_in_the_language_of_the_operation(monkeypatch):
    asked = []

    def in_language(operation, part):
        asked.append(get_language())
        return ""

    monkeypatch.setattr("liveops.fragments.render_part", in_language)
    frame("frame", Greeting(language="de"), parts=["status"])
    frame("frame", Greeting(language=""), parts=["status"])
    assert asked == ["de", "en"]


def test_a_heartbeat():
    assert json.loads(heartbeat((2, 7), "RUNNING", 0.4)) == {
        "type": "heartbeat",
        "attempt": 2,
        "seq": 7,
        "state": "RUNNING",
        "age": 0.4,
    }
