"""Who did what, when: one log line per deed, for people and for machines."""

import json
import logging
import re
from typing import Any

logger = logging.getLogger(__name__)

# Whatever else a value holds is quoted, so that no value can look like another field or line.
PLAIN = re.compile(r"[\w.:@/+-]+", re.ASCII)
LONGEST_VALUE = 200


def note(
    event: str,
    *,
    user: Any = None,
    operation: Any = None,
    address: str = "",
    level: int = logging.INFO,
    **facts: Any,
) -> None:
    """Write `event operation=… attempt=… user=… address=… …`, leaving out what is not known.

    `user` is a user or a user's key, of which only the key is written, and `operation` a
    `LiveOperation` or an operation's id. Never pass a token, a password or a body. The values are
    attributes of the log record, too, under the name `facts`.
    """
    fields = {
        "operation": getattr(operation, "pk", operation),
        "attempt": getattr(operation, "attempt", None),
        "user": getattr(user, "pk", user),
        "address": address or None,
        **facts,
    }
    known = {name: str(value) for name, value in fields.items() if value is not None}
    text = " ".join([event, *(f"{name}={_shown(value)}" for name, value in known.items())])
    logger.log(level, "%s", text, extra={"event": event, "facts": known})


def _shown(value: str) -> str:
    value = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
    return value if PLAIN.fullmatch(value) else json.dumps(value)
