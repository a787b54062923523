"""Browsers that subscribe and then read nothing any more."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from tests.client import SiteClient

# What the kernel may keep for a socket that nobody reads; the rest stays with the server.
RECEIVE_BUFFER = 4096


@contextmanager
def stalled_sockets(
    client: SiteClient, operation_id: str, number: int
) -> Iterator[list[ClientConnection]]:
    """So many sockets that watch the operation and are never read after the first answer."""
    page = client.live_page(operation_id)
    address = urlsplit(str(client.http.base_url))
    origin: Any = f"{address.scheme}://{address.netloc}"
    with ExitStack() as stack:
        opened = []
        for _ in range(number):
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            raw.connect((address.hostname, address.port))
            watching = stack.enter_context(
                connect(
                    f"ws://{address.netloc}{page.attributes['data-liveop-socket']}",
                    sock=raw,
                    origin=origin,
                    additional_headers={"Cookie": client.cookies},
                    compression=None,
                    max_queue=1,
                    ping_interval=None,
                    close_timeout=0.1,
                    proxy=None,
                )
            )
            subscribe = {"type": "subscribe", "token": client.fresh_token(page)}
            watching.send(json.dumps(subscribe))
            assert json.loads(watching.recv(timeout=20))["status"] == "ok"
            opened.append(watching)
        yield opened
