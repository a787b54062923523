"""A place on this machine to which Sentry's and OpenTelemetry's real clients send."""

import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.processes import HOST


@dataclass
class Sink:
    """`with Sink() as sink:` listens; `bodies`: path → what came there, unpacked, oldest first."""

    bodies: dict[str, list[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                bodies.setdefault(self.path, []).append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.server.server_port}"

    def all_bytes(self) -> bytes:
        return b"\n".join(body for bodies in self.bodies.values() for body in bodies)
