"""System checks of the API's own settings."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

RATE = re.compile(r"[1-9]\d*/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII)


@register()
def check_rates(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    return [
        Error(
            f"API_{name.upper()}_RATE is {rate!r}, which is no rate.",
            hint="Set it to a number and a period (second, minute, hour or day), such as 600/min.",
            id="api.E001",
        )
        for name, rate in rates.items()
        if not RATE.fullmatch(rate)
    ]
