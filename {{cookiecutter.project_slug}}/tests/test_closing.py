"""The codes with which a real server closes websockets."""

from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from liveops.wire import Close
from tests.client import SiteClient
from tests.services import Stack

pytestmark = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)


@pytest.fixture
def socket(stack: Stack, member: SiteClient) -> Iterator[ClientConnection]:
    """Connected, not yet subscribed."""
    origin: Any = stack.base_url
    with connect(
        stack.ws_url,
        origin=origin,
        additional_headers={"Cookie": member.cookies},
    ) as socket:
        yield socket


def close_code(socket: ClientConnection, within: float = 10) -> int | None:
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=within)
    return socket.close_code


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("x" * (64 * 1024 + 1), Close.TOO_BIG),
        ("x" * 100, Close.MALFORMED),
        (b"\x00", Close.MALFORMED),
        ('{"type": "subscribe", "token": "forged"}', Close.BAD_TOKEN),
    ],
    ids=["too-big", "no-json", "binary", "bad-token"],
)
def test_a_refused_message(
    stack: Stack, socket: ClientConnection, message: str | bytes, code: Close
) -> None:
    socket.send(message)
    assert close_code(socket) == code
    assert "Traceback" not in stack.web.log_tail()


def test_silence(stack: Stack, socket: ClientConnection) -> None:
    assert close_code(socket) == Close.TOO_SLOW
