"""What no browser of ours would say: the socket is closed with the right code, and no traceback."""

import asyncio
import json
import os
import socket
import time
import zlib
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.security.cast import Visitor
from tests.security.hostile import frames, payloads, signed
from tests.security.promises import Figures
from tests.security.raw import COMPRESSED, CONTINUATION, FINAL, RawSocket
from tests.security.sockets import ANSWER_WITHIN, OK, Socket
from tests.security.stack import SecurityStack

pytestmark = [pytest.mark.fault(20), pytest.mark.usefixtures("quiet")]

LARGEST = 64 * 1024
# What breaks the rules of websockets themselves ends the connection, mostly without a word.
CUT_OFF = {None, 1002, 1007, 1009}
FRAMES = {
    "nothing": ("", 4400),
    "no JSON": ("{", 4400),
    "a list": ("[]", 4400),
    "null": ("null", 4400),
    "a number": ("1e999", 4400),
    "a text": ('"subscribe"', 4400),
    "no type": ("{}", 4400),
    "unknown type": ('{"type": "liveop.frame"}', 4400),
    "a type that is a list": ('{"type": ["subscribe"]}', 4400),
    "no token": ('{"type": "subscribe"}', 4400),
    "a token that is a number": ('{"type": "subscribe", "token": 7}', 4400),
    "a token that is too long": (json.dumps({"type": "subscribe", "token": "x" * 5000}), 4400),
    "a position that is a text": ('{"type": "subscribe", "token": "t", "after": "x"}', 4400),
    "a position beyond every number": (
        json.dumps({"type": "subscribe", "token": "t", "after": {"attempt": 1, "seq": 10**400}}),
        4400,
    ),
    "lone surrogates": ('{"type": "subscribe", "token": "\\ud800"}', 4401),
    "NUL": ('{"type": "subscribe", "token": "\\u0000"}', 4401),
    "an ack too early": ('{"type": "ack", "attempt": 1, "seq": 1}', 4400),
    "deep lists": ("[" * 30_000, 4400),
    "deep closed lists": ("[" * 30_000 + "]" * 30_000, 4400),
    "deep objects": ('{"a":' * 12_000, 4400),
    "64 KiB": (json.dumps("x" * (LARGEST - 2)), 4400),
    "64 KiB and one byte": (json.dumps("x" * (LARGEST - 1)), 1009),
    "64 KiB and one byte of two": ("é" * (LARGEST // 2) + "x", 1009),
}


@pytest.mark.parametrize(("text", "code"), FRAMES.values(), ids=FRAMES)
def test_first_message(stack: SecurityStack, owner: Visitor, text: str, code: int) -> None:
    with Socket(stack.base_url, owner.cookie) as socket:
        socket.connection.send(text)
        assert socket.close_code() == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", 4400),
        ("{", 4400),
        ('{"type": "subscribe", "token": "t"}', 4400),
        ("x" * 65_537, 1009),
    ],
)
def test_later_message(stack: SecurityStack, owner: Visitor, text: str, code: int) -> None:
    with Socket(stack.base_url, owner.cookie) as socket:
        assert socket.subscribe(owner.token()) == OK
        socket.connection.send(text)
        assert socket.close_code() == code


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b'{"type": "subscribe", "token": "t"}'])
def test_a_binary_message(stack: SecurityStack, owner: Visitor, body: bytes) -> None:
    with Socket(stack.base_url, owner.cookie) as socket:
        socket.connection.send(body)
        assert socket.close_code() == 4400


def test_no_subscription_in_time(stack: SecurityStack, owner: Visitor, figures: Figures) -> None:
    """Not even with something to say that is no subscription: pings."""
    with Socket(stack.base_url, owner.cookie) as socket:
        began = time.monotonic()
        socket.connection.ping()
        assert socket.close_code() == 4408
        seconds = time.monotonic() - began
    figures.took("without a subscription", seconds)
    assert 4.5 < seconds < 6.5


def test_a_message_in_fragments(stack: SecurityStack, owner: Visitor) -> None:
    """Fragments are put together; what is too big in sum is too big."""
    with RawSocket(stack.base_url, owner.cookie) as raw:
        raw.send(b'{"type": "subscribe", ', flags=0)
        raw.send(b'"token": "forged"}', CONTINUATION)
        assert raw.close_code() == 4401
    with RawSocket(stack.base_url, owner.cookie) as raw:
        raw.send(b"x" * 40_000, flags=0)
        raw.send(b"x" * 40_000, CONTINUATION)
        assert raw.close_code() == 1009


def test_fragments_without_end(stack: SecurityStack, owner: Visitor) -> None:
    """They do not keep the socket open, nor does the server keep them all."""
    with RawSocket(stack.base_url, owner.cookie) as raw:
        raw.send(b"x", flags=0)
        assert raw.close_code() == 4408
    with RawSocket(stack.base_url, owner.cookie) as raw:
        with suppress(ConnectionError):
            for _ in range(32):
                raw.send(b"x" * LARGEST, flags=0)
        assert raw.close_code() in CUT_OFF


def test_one_enormous_frame(stack: SecurityStack, owner: Visitor) -> None:
    with RawSocket(stack.base_url, owner.cookie) as raw:
        with suppress(ConnectionError):
            raw.send(b"x" * 8 * 1024 * 1024)
        assert raw.close_code() in CUT_OFF


def test_no_compression_and_so_no_bomb(stack: SecurityStack, owner: Visitor) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(b"[" * 50_000_000) + packer.flush()
    with RawSocket(stack.base_url, owner.cookie, extra=offer) as raw:
        assert "sec-websocket-extensions" not in raw.answer
        raw.send(bomb, flags=FINAL | COMPRESSED)
        assert raw.close_code() in CUT_OFF


@pytest.mark.parametrize(
    ("payload", "opcode", "mask"),
    [(b"[]", 0x1, False), (b"\xff\xfe", 0x1, True), (b"x", 0x3, True)],
    ids=["not masked", "no UTF-8", "unknown opcode"],
)
def test_frames_against_the_websocket_protocol(
    stack: SecurityStack, owner: Visitor, payload: bytes, opcode: int, mask: bool
) -> None:
    with RawSocket(stack.base_url, owner.cookie) as raw:
        raw.send(payload, opcode, mask=mask)
        assert raw.close_code() in CUT_OFF


def test_slow_handshakes_hold_nobody_up(
    stack: SecurityStack, owner: Visitor, figures: Figures
) -> None:
    address = urlsplit(stack.base_url)
    with ExitStack() as slow:
        for _ in range(200):
            half = slow.enter_context(
                socket.create_connection((str(address.hostname), address.port or 80))
            )
            half.sendall(b"GET /ws/liveops/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso")
        began = time.monotonic()
        with Socket(stack.base_url, owner.cookie) as quick:
            assert quick.subscribe(owner.token()) == OK
        seconds = time.monotonic() - began
    figures.took("to subscribe beside 200 slow handshakes", seconds)
    assert seconds < 2


# Whatever hypothesis thinks of, by the dozen

INPUTS = int(os.environ.get("SECURITY_FRAMES", "100000")) // 50
AT_ONCE = 25
# A token under our own signature that says something odd is refused as any other.
hostile_messages = st.one_of(
    frames,
    st.binary(max_size=200),
    payloads.map(lambda payload: json.dumps({"type": "subscribe", "token": signed(payload)})),
)


@settings(
    max_examples=-(-INPUTS // AT_ONCE),
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(messages=st.lists(hostile_messages, min_size=AT_ONCE, max_size=AT_ONCE))
def test_whatever_comes_first_is_refused(
    stack: SecurityStack, owner: Visitor, figures: Figures, messages: list[str | bytes]
) -> None:
    figures.inputs += len(messages)
    answers = asyncio.run(all_answers(stack, owner, messages))
    for message, answer in zip(messages, answers, strict=True):
        assert answer in {4400, 4401}, message


async def all_answers(
    stack: SecurityStack, owner: Visitor, messages: list[str | bytes]
) -> list[Any]:
    return await asyncio.gather(*(answer(stack, owner, message) for message in messages))


async def answer(stack: SecurityStack, owner: Visitor, message: str | bytes) -> Any:
    """The close code; or what the server said, where it ought to have said nothing."""
    origin: Any = stack.base_url
    async with connect(
        stack.ws_url,
        origin=origin,
        additional_headers={"Cookie": owner.cookie},
        compression=None,
        open_timeout=ANSWER_WITHIN,
        close_timeout=1,
        ping_interval=None,
        proxy=None,
    ) as websocket:
        await websocket.send(message)
        try:
            return await asyncio.wait_for(websocket.recv(), ANSWER_WITHIN)
        except ConnectionClosed:
            return websocket.close_code
