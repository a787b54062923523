"""Rates that cannot work are reported before the first request meets them."""

from typing import Any

import pytest
from rest_framework.throttling import SimpleRateThrottle

from api.checks import check_rates


def with_rate(settings: Any, rate: str) -> list[Any]:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "user": rate}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    return check_rates(None)


@pytest.mark.parametrize("rate", ["1/s", "600/min", "600/minute", "5000/hour", "9/day"])
def test_a_rate_is_a_number_and_a_period(settings: Any, rate: str) -> None:
    assert with_rate(settings, rate) == []
    number, seconds = SimpleRateThrottle.parse_rate(None, rate)
    assert number > 0
    assert seconds > 0


@pytest.mark.parametrize("rate", ["600", "0/min", "-1/min", "many/min", "600/fortnight", "6 /min"])
def test_anything_else_is_e001(settings: Any, rate: str) -> None:
    [found] = with_rate(settings, rate)
    assert found.id == "api.E001"
    assert f"API_USER_RATE is {rate!r}" in found.msg
