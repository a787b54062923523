"""What is left out of the log."""

import logging

from redis.exceptions import RedisError


class RedisAwayInOneLine(logging.Filter):
    """The channel layer logs a traceback for every second that Redis is away; a line will do."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RedisError | OSError):
            record.msg, record.args = "Redis is away: %s", (error,)
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
