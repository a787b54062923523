"""What the log leaves out, and how its lines are told apart."""

import logging

from redis.exceptions import RedisError

from liveops.visible import visible_text


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
