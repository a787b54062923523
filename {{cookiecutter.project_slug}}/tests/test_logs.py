"""What the log leaves out, and what it does not."""

import logging

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError


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
