"""What the log leaves out, and how its lines are told apart."""

import logging
from datetime import UTC, datetime
from typing import Any

from daphne.access import AccessLogGenerator
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter
from redis.exceptions import RedisError

from liveops.audit import LONGEST_VALUE
from liveops.visible import visible_text

logger = logging.getLogger("daphne.access")


class RedisAwayInOneLine(logging.Filter):
    """The channel layer logs a traceback for every second that Redis is away; a line will do."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RedisError | OSError):
            record.msg, record.args = "Redis is away: %s", (error,)
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class OneEventAtATime(logging.Formatter):
    """Only an event begins at the start of a line: what more it says, its traceback above all, is
    indented, and controls that a terminal would obey are shown by their number.

    Otherwise the text of an exception, a path or a file could pass for an event of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        return visible_text(super().format(record)).replace("\n", "\n    ")


class EventAsJson(JsonFormatter):
    """One line of ASCII for each event, whatever its text holds: an object with the fields
    `timestamp` (UTC), `level`, `logger`, `message`, where there is one `exception`, within a run
    `operation`, `attempt` and `user`, and the facts of `liveops.audit` with `event`.

    What else a call passes as `extra` becomes a field if it is a text, a number or a boolean.
    """

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        extra = {
            name: value
            for name, value in vars(record).items()
            if name not in NO_EXTRA and isinstance(value, str | int | float | None)
        }
        own = {
            "timestamp": rfc_3339(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.message,
        }
        run, facts = getattr(record, "run", {}), getattr(record, "facts", {})
        facts = {name: shortened(value) for name, value in facts.items()}
        # In this order, and what comes later wins.
        log_data.update(dict.fromkeys(own) | extra | run | facts | own)
        if "exc_info" in message_dict:
            log_data["exception"] = message_dict["exc_info"]
        if "stack_info" in message_dict:
            log_data["stack"] = message_dict["stack_info"]


# `taskName` is of Python 3.12 and later.
NO_EXTRA = {*RESERVED_ATTRS, "taskName", "run", "facts"}


def shortened(value: Any) -> Any:
    is_long = isinstance(value, str) and len(value) > LONGEST_VALUE
    return f"{value[:LONGEST_VALUE]}…" if is_long else value


def rfc_3339(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class LoggedAccess(AccessLogGenerator):
    """The requests that Daphne writes down, as events of the log; without queries."""

    def __call__(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        path = str(details["path"]).partition("?")[0]
        facts = {"event": f"{protocol} {action}", "path": path, "address": details["client"]}
        text = f"websocket {action}"
        if protocol == "http":
            if action != "complete":
                return
            text = details["method"]
            facts |= {
                "method": details["method"],
                "status": details["status"],
                "bytes": details["size"],
                "seconds": round(details["time_taken"], 4),
            }
        logger.info("%s %s %s", text, path, facts.get("status", ""), extra={"facts": facts})
