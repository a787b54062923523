"""The templates of the engine: every state renders, and no text becomes markup."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory
from django.utils.safestring import SafeString

from liveops.fragments import PARTS, LogView, render_part
from liveops.models import LiveOperation, State
from liveops.templatetags.liveops import counted, duration, eta, rate, took
from tests.kinds.models import Greeting

HOSTILE = "<script>alert('x')</script>\"'&<img src=x onerror=alert(1)>"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def operation(**attributes: Any) -> LiveOperation:
    fields = {"pk": UUID(int=7), "created_at": START, **attributes}
    return Greeting(**fields)


def render(source: str, **context: Any) -> str:
    return str(engines["django"].from_string("{% load liveops %}" + source).render(context))


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user = get_user_model()(pk=1)
    request.session = SimpleNamespace(session_key="a-session")  # type: ignore[assignment]
    return request


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_renders_in_every_state(part: str, state: str) -> None:
    render_part(operation(state=state), part)
    render_part(operation(state=state, result_context={"rows": 1}, percent=12.5), part)


def hostile_operation(state: State) -> LiveOperation:
    tracking = {
        "label": HOSTILE,
        "unit": HOSTILE,
        "done": 3,
        "total": 10,
        "rate": 2.0,
        "eta": 5.0,
    }
    return operation(
        state=state,
        status_text=HOSTILE,
        status_level=HOSTILE,
        error=HOSTILE,
        percent=30.0,
        tracking=tracking,
        stage_states={HOSTILE: {"state": HOSTILE, "started": 0, "seconds": 1.5}},
        result_context={HOSTILE: HOSTILE},
    )


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("part", PARTS)
def test_no_text_of_an_operation_becomes_markup(part: str, state: State) -> None:
    html = render_part(hostile_operation(state), part)
    assert "<script" not in html
    assert "<img" not in html


def test_hostile_text_is_shown_as_it_is() -> None:
    html = render_part(hostile_operation(State.FAILED), "result")
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in html


def test_the_bar_s_value_is_a_number_in_every_language(settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    html = render_part(operation(state=State.RUNNING, percent=42.5), "progress")
    assert 'value="42.5"' in html


def test_a_bar_without_percent_is_indeterminate() -> None:
    html = render_part(operation(state=State.RUNNING), "progress")
    assert "<progress" in html
    assert "value=" not in html


def test_progress_says_how_much_how_fast_and_how_long() -> None:
    tracking = {
        "label": "Saving",
        "unit": "row",
        "done": 12400,
        "total": 100000,
        "rate": 3120.4,
        "eta": 28,
    }
    html = render_part(operation(state=State.RUNNING, percent=12.4, tracking=tracking), "progress")
    for words in ("12 %", "Saving", "12,400 of 100,000 rows", "3,120/s", "28 s left"):
        assert words in html


def test_progress_without_a_total_counts() -> None:
    tracking = {"label": None, "unit": "row", "done": 1, "total": None, "rate": 0, "eta": None}
    html = render_part(operation(state=State.RUNNING, tracking=tracking), "progress")
    assert "1 row" in html
    assert "None" not in html


def test_stages_show_their_state_and_duration() -> None:
    states = {
        "Read": {"state": "done", "started": 0, "seconds": 65.2},
        "Save": {"state": "active", "started": 65, "seconds": None},
    }
    html = render_part(operation(state=State.RUNNING, stage_states=states), "stages")
    assert "1 min 5 s" in html
    assert 'data-stage="active" aria-current="step"' in html


def test_the_result_of_a_kind_without_template_is_a_table() -> None:
    html = render_part(
        operation(state=State.SUCCEEDED, result_context={"rows": 5, "file": "a.csv"}), "result"
    )
    assert '<th scope="row" dir="auto">rows</th>' in html
    assert '<td dir="auto">a.csv</td>' in html


def test_the_element_carries_what_the_client_needs(
    request_: HttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = LogView(first=1235, last=1235, html=SafeString('<li data-line="1235">x</li>'))
    monkeypatch.setattr("liveops.templatetags.liveops.log_tail", lambda operation: tail)
    html = render(
        "{% live_operation operation %}",
        operation=operation(state=State.RUNNING, attempt=2, seq=1812),
        request=request_,
    )
    for attribute in (
        'state="RUNNING"',
        'freshness="connecting"',
        f'data-liveop-channel="liveop.{UUID(int=7)}"',
        'data-liveop-attempt="2"',
        'data-liveop-seq="1812"',
        f'data-liveop-token-url="/operations/{UUID(int=7)}/token/"',
        'data-liveop-socket="/ws/liveops/"',
    ):
        assert attribute in html
    assert "1,234 earlier lines" in html
    assert "data-liveop-title" not in html
    assert " style=" not in html
    assert " onclick=" not in html


def test_the_traceback_is_for_staff(request_: HttpRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = LogView(first=1, last=0, html=SafeString())
    monkeypatch.setattr("liveops.templatetags.liveops.log_tail", lambda operation: nothing)
    failed = operation(state=State.FAILED, traceback="Traceback: the secret line")
    source = "{% live_operation operation %}"
    assert "the secret line" not in render(source, operation=failed, request=request_)
    request_.user = get_user_model()(pk=1, is_staff=True)
    assert "the secret line" in render(source, operation=failed, request=request_)


def test_a_region_shows_what_is_recorded_for_it() -> None:
    html = render(
        '{% live_region operation "found" %}', operation=operation(regions={"#found": "<b>1</b>"})
    )
    assert html == '<div id="found" data-liveop-region><b>1</b></div>'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0.1 s"),
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (59.7, "1 min 0 s"),
        (65, "1 min 5 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.3, "almost done"), (28.4, "28 s left"), (128, "2 min 10 s left")],
)
def test_eta(seconds: float | None, text: str) -> None:
    assert eta(seconds) == text


@pytest.mark.parametrize(("per_second", "text"), [(3120.4, "3,120/s"), (0.2, "12/min")])
def test_rate(per_second: float, text: str) -> None:
    assert rate(per_second) == text


@pytest.mark.parametrize(
    ("unit", "count", "text"),
    [("row", 1, "row"), ("row", 2, "rows"), ("rows", 2, "rows"), ("", 2, "")],
)
def test_counted(unit: str, count: int, text: str) -> None:
    assert counted(unit, count) == text


def test_took() -> None:
    assert took(operation(started_at=START)) is None
    ended = operation(started_at=START, finished_at=START + timedelta(seconds=90))
    assert took(ended) == 90
