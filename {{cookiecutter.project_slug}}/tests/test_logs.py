"""What the log leaves out, and what it does not."""

import json
import logging
import re
import sys
from typing import Any, cast

import pytest
from django.conf import settings
from redis.exceptions import ConnectionError as RedisConnectionError

from config.logs import EventAsJson, OneEventAtATime
from liveops.audit import LONGEST_VALUE, note
from tests.security.texts import TEXTS, Text


def logged(caplog: pytest.LogCaptureFixture, error: Exception) -> logging.LogRecord:
    try:
        raise error
    except type(error):
        logging.getLogger("channels_redis.pubsub").exception("Unexpected exception")
    return caplog.records[-1]


@pytest.mark.parametrize("error", [RedisConnectionError("refused"), ConnectionResetError("reset")])
def test_redis_away_is_a_line(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    record = logged(caplog, error)
    assert record.getMessage() == f"Redis is away: {error}"
    assert (record.exc_info, record.levelname) == (None, "WARNING")


def test_a_fault_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    record = logged(caplog, ValueError("no"))
    assert (record.getMessage(), record.levelname) == ("Unexpected exception", "ERROR")
    assert record.exc_info


def formatted(message: str, error: ValueError | None = None) -> str:
    formatter = OneEventAtATime("{asctime} {levelname} {name}: {message}", style="{")
    info = None
    try:
        if error is not None:
            raise error
    except ValueError:
        info = sys.exc_info()
    record = logging.LogRecord("a.name", logging.INFO, "", 1, "said %s", (message,), info)
    return formatter.format(record)


def begins(text: str) -> list[str]:
    """The lines that look like an event, wherever a reader may see the end of a line."""
    return [line for line in text.splitlines() if re.match(r"\S", line)]


@pytest.mark.parametrize("each", TEXTS, ids=lambda each: ascii(each.text)[:40])
def test_no_text_passes_for_an_event_of_its_own(each: Text) -> None:
    for text in (formatted(each.stored), formatted("x", ValueError(each.stored))):
        assert len(begins(text)) == 1
        assert not set("\r\x1b\x9b\u202e") & set(text)


def as_json(message: str, error: ValueError | None = None, **extra: Any) -> tuple[str, Any]:
    """The line, and the object that it holds."""
    info = None
    try:
        if error is not None:
            raise error
    except ValueError:
        info = sys.exc_info()
    record = logging.LogRecord("a.name", logging.INFO, "", 1, "said %s", (message,), info)
    vars(record).update(extra)
    line = EventAsJson().format(record)
    return line, json.loads(line)


@pytest.mark.parametrize("each", TEXTS, ids=lambda each: ascii(each.text)[:40])
def test_no_text_leaves_its_field_of_a_json_event(each: Text) -> None:
    facts = {"why": each.text}
    line, event = as_json(each.stored, ValueError(each.stored), facts=facts, mine=each.text)
    assert line.isascii()
    assert line.isprintable()
    assert list(event)[:4] == ["timestamp", "level", "logger", "message"]
    assert set(event) == {"timestamp", "level", "logger", "message", "exception", "why", "mine"}
    assert (event["level"], event["logger"]) == ("INFO", "a.name")
    assert event["message"] == f"said {each.stored}"
    # Python itself takes a line break off the end.
    assert event["exception"].rstrip().endswith(f"ValueError: {each.stored}".rstrip())
    assert len(event["why"]) <= LONGEST_VALUE + 1


def test_extra_values_are_fields_but_take_nobodys_place() -> None:
    _line, event = as_json(
        "x",
        rows=3,
        good=True,
        request=object(),
        level="forged",
        logger="forged",
        operation="forged",
        run={"operation": "1", "attempt": "2", "user": "3"},
        facts={"event": "operation started", "operation": "4"},
    )
    assert (event["rows"], event["good"]) == (3, True)
    assert "request" not in event
    assert (event["level"], event["logger"]) == ("INFO", "a.name")
    assert (event["operation"], event["attempt"], event["user"]) == ("4", "2", "3")
    assert event["event"] == "operation started"


@pytest.mark.parametrize("each", TEXTS, ids=lambda each: ascii(each.text)[:40])
def test_no_value_breaks_or_forges_a_line_of_the_audit(
    caplog: pytest.LogCaptureFixture, each: Text
) -> None:
    caplog.set_level(logging.INFO, logger="liveops.audit")
    note("websocket refused", origin=each.text, address=each.text, why="foreign")
    (record,) = caplog.records
    line = record.getMessage()
    assert line.isprintable()
    assert line.isascii()
    words = re.fullmatch(
        r'websocket refused address=(\S+|"(?:[^"\\]|\\.)*") origin=(?:\1) why=foreign', line
    )
    assert words
    value = words[1]
    cut = each.text if len(each.text) <= LONGEST_VALUE else f"{each.text[:LONGEST_VALUE]}…"
    assert (json.loads(value) if value.startswith('"') else value) == cut


def test_the_site_logs_that_way() -> None:
    logging_ = cast("dict[str, dict[str, Any]]", settings.LOGGING)
    assert logging_["formatters"]["line"]["class"] == "config.logs.OneEventAtATime"
    assert logging_["handlers"]["console"]["formatter"] == "line"
    assert {name for name, logger in logging_["loggers"].items() if logger.get("handlers")} == set()
