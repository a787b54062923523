"""A websocket by hand, for frames that no library would send."""

import os
import socket
import struct
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CONTINUATION, TEXT, CLOSE = 0x0, 0x1, 0x8
FINAL, COMPRESSED = 0x80, 0x40


class RawSocket:
    """Connected and accepted; `answer` is the head of the server's answer."""

    def __init__(self, url: str, cookie: str = "", *, extra: str = "", source: str = "") -> None:
        address = urlsplit(url)
        host, port = str(address.hostname), address.port or 80
        self.socket = socket.create_connection(
            (host, port), timeout=20, source_address=(source, 0) if source else None
        )
        request = (
            f"GET /ws/liveops/ HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"
            f"Sec-WebSocket-Version: 13\r\nOrigin: {url}\r\nCookie: {cookie}\r\n{extra}\r\n"
        )
        self.socket.sendall(request.encode())
        self._received = b""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _blank, self._received = self._received.partition(b"\r\n\r\n")
        self.answer = head.decode("latin-1").lower()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(
        self, payload: bytes, opcode: int = TEXT, flags: int = FINAL, mask: bool = True
    ) -> None:
        size = len(payload)
        masked = 0x80 if mask else 0
        if size < 126:
            head = struct.pack("!BB", flags | opcode, masked | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", flags | opcode, masked | 126, size)
        else:
            head = struct.pack("!BBQ", flags | opcode, masked | 127, size)
        key = os.urandom(4)
        if mask:
            repeated = (key * (size // 4 + 1))[:size]
            number = int.from_bytes(payload) ^ int.from_bytes(repeated)
            payload, head = number.to_bytes(size), head + key
        self.socket.sendall(head + payload)

    def close_code(self, within: float = 20) -> int | None:
        """The code of the server's close frame; None when it cut the line without one."""
        end = time.monotonic() + within
        while True:
            frame = self._next_frame()
            if frame is None:
                self.socket.settimeout(max(0.01, end - time.monotonic()))
                if not self._receive():
                    return None
            elif frame[0] == CLOSE:
                return int.from_bytes(frame[1][:2])

    def _receive(self) -> bool:
        try:
            received = self.socket.recv(65536)
        except ConnectionError:
            return False
        self._received += received
        return bool(received)

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Opcode and payload of the next whole frame; a server never masks."""
        data = self._received
        if len(data) < 2:
            return None
        size, start = data[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10]), 10
        if len(data) < start + size:
            return None
        self._received = data[start + size :]
        return data[0] & 0x0F, data[start : start + size]
