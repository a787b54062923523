"""What a browser may send over the websocket, and how a socket is closed."""

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from liveops.record import Position

# The longest token that we issue is far shorter.
MAX_TOKEN = 4096
# No column holds a larger number.
MAX_COUNT = 2**63 - 1


class Close(IntEnum):
    """The close codes; a client stops for good on BAD_TOKEN, FORBIDDEN and UNKNOWN."""

    TOO_BIG = 1009
    FAILED = 1011
    OVERLOADED = 1013
    MALFORMED = 4400
    BAD_TOKEN = 4401
    FORBIDDEN = 4403
    UNKNOWN = 4404
    TOO_SLOW = 4408
    TOKEN_EXPIRED = 4410
    TOO_MANY = 4429


class Malformed(Exception):
    """Not one of the messages below."""


@dataclass(frozen=True, kw_only=True)
class Subscribe:
    """`{"type": "subscribe", "token": …, "after": {"attempt": 3, "seq": 812} or null}`."""

    token: str
    after: Position | None


@dataclass(frozen=True, kw_only=True)
class Ack:
    """`{"type": "ack", "attempt": 3, "seq": 820}`: seen up to here."""

    position: Position


def parse(text: str) -> Subscribe | Ack:
    """Read a message. Raises Malformed for anything else."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("no JSON") from error
    match message:
        case {"type": "subscribe", "token": str(token)} if 0 < len(token) <= MAX_TOKEN:
            after = message.get("after")
            return Subscribe(token=token, after=None if after is None else _position(after))
        case {"type": "ack"}:
            return Ack(position=_position(message))
    raise Malformed("no message that we know")


def _position(value: Any) -> Position:
    match value:
        case {"attempt": attempt, "seq": seq} if _is_count(attempt) and _is_count(seq):
            return Position(attempt, seq)
    raise Malformed("no position")


def _is_count(value: object) -> bool:
    # True and False are integers, too.
    return type(value) is int and 0 <= value <= MAX_COUNT
