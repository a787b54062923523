"""A page with the element, and a server that says just what a test tells it to."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

from django.template import engines
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.sync.server import ServerConnection, serve

from liveops.fragments import LogView
from liveops.models import State as OperationState
from tests.kinds.models import Greeting
from tests.processes import HOST, SITE

STATIC = [SITE / "static", SITE / "liveops" / "static"]
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
TOKEN_URL = "/token/"
SNAPSHOT_URL = "/snapshot/"
OPERATION = UUID("12345678-1234-5678-1234-567812345678")
PAGE = """
{% extends "base.html" %}
{% load static %}
{% block title %}Greeting{% endblock %}
{% block head %}
  <script type="module" src="{% static 'liveops/submit-once.js' %}"></script>
  <script type="module" src="{% static 'liveops/live-operation.js' %}"></script>
  <script type="module" src="{% static 'liveops/live-list.js' %}"></script>
{% endblock %}
{% block content %}{{ element }}{% endblock %}
"""
REGIONS = """
<div id="region" data-liveop-region>
  <input id="note"><div id="scrolling" class="liveop-lines"><p>one</p></div>
  <details><summary>More</summary>more</details>
</div>
"""
LIST = """
<live-list src="/rows/" interval="0.2">
  <p data-live-list-note hidden>Not updated for {seconds} s</p>
  <div data-live-list-rows>rows of the page</div>
</live-list>
"""


def line(number: int, text: str = "", level: str = "info") -> str:
    return (
        f'<li data-line="{number}" data-level="{level}">'
        f"<time>12:00:00.000</time> <span>{text or f'line {number}'}</span></li>"
    )


def log(first: int, last: int) -> dict[str, Any]:
    return {
        "first": first,
        "last": last,
        "html": "".join(line(number) for number in range(first, last + 1)),
    }


class Socket:
    """One connection of the browser, seen from the server."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    def receive(self, within: float = 5) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=within))
        return message

    def receive_nothing(self, within: float) -> None:
        try:
            message = self.connection.recv(timeout=within)
        except TimeoutError:
            return
        raise AssertionError(f"the browser sent {message!r}")

    def send(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def accept(self) -> dict[str, Any]:
        """Take the subscription and let the browser in."""
        subscription = self.receive()
        self.send(type="authentication", status="ok", protocol=1)
        return subscription

    def frame(self, seq: int, *, attempt: int = 1, state: str = "RUNNING", **rest: Any) -> None:
        self.send(type="frame", attempt=attempt, seq=seq, state=state, **rest)

    def snapshot(self, seq: int, *, attempt: int = 1, state: str = "RUNNING", **rest: Any) -> None:
        self.send(type="snapshot", attempt=attempt, seq=seq, state=state, **rest)

    def heartbeat(self, seq: int, age: float | None, state: str = "RUNNING") -> None:
        self.send(type="heartbeat", attempt=1, seq=seq, state=state, age=age)

    def close(self, code: int) -> None:
        self.connection.close(code)

    def wait_closed(self, within: float = 5) -> None:
        """Until the browser has closed the connection, whatever it still says."""
        try:
            while True:
                self.connection.recv(timeout=within)
        except ConnectionClosed:
            return


@dataclass
class Poll:
    """One question for the snapshot."""

    query: str
    etag: str | None
    at: float


@dataclass
class PollAnswer:
    """`news`: a frame or snapshot, None for 304; `age` goes into the heartbeat."""

    news: dict[str, Any] | None = None
    age: float | None = 0.5
    status: int = 200
    protocol: int = 1
    kind: str = "application/json"


class ScriptedServer:
    """Serves the page, the static files and the token over HTTP, and hands out websockets.

    `lets_sockets_through` is what a proxy may not do; `polled` gives the answer to each question
    for the snapshot.
    """

    def __init__(self) -> None:
        self.sockets: queue.Queue[Socket] = queue.Queue()
        self.tokens_asked: list[dict[str, str]] = []
        self.token_answer: tuple[int, str, str] = (
            200,
            "application/json",
            '{"token": "fresh-token"}',
        )
        self.lets_sockets_through = True
        self.answers_handshakes = threading.Event()
        self.answers_handshakes.set()
        self.refused = 0
        self.polls: list[Poll] = []
        self.polled = PollAnswer()
        self.operation: dict[str, Any] = {"state": "RUNNING", "attempt": 1, "seq": 0}
        self.log = LogView(first=1, last=0, html=SafeString())
        self.rows: tuple[int, str, str] = (200, "1", "")
        self.rows_asked: list[str | None] = []
        self.http = ThreadingHTTPServer((HOST, 0), self._handler())
        self.ws = serve(self._connected, HOST, 0, process_request=self._let_through)
        self.ws_url = f"ws://{HOST}:{self.ws.socket.getsockname()[1]}/"
        self.url = f"http://{HOST}:{self.http.server_port}/"

    def socket(self, within: float = 5) -> Socket:
        """The next connection that the browser opens."""
        try:
            return self.sockets.get(timeout=within)
        except queue.Empty:
            raise AssertionError(f"the browser did not connect within {within:g} s") from None

    def no_socket(self, within: float) -> None:
        try:
            self.sockets.get(timeout=within)
        except queue.Empty:
            return
        raise AssertionError("the browser connected")

    def _connected(self, connection: ServerConnection) -> None:
        self.sockets.put(Socket(connection))
        # The connection lives as long as this function runs.
        while connection.protocol.state is not State.CLOSED:
            time.sleep(0.05)

    def _let_through(self, connection: ServerConnection, _request: Request) -> Response | None:
        self.answers_handshakes.wait()
        if self.lets_sockets_through:
            return None
        self.refused += 1
        return connection.respond(HTTPStatus.FORBIDDEN, "no websockets here")

    def page(self, content: str) -> str:
        context = {"element": mark_safe(content)}  # noqa: S308
        return engines["django"].from_string(PAGE).render(context)

    def element(self) -> str:
        """The real element as its template makes it, with this server's addresses."""
        operation = Greeting(pk=OPERATION, **self.operation)
        context = {"operation": operation, "states": OperationState.choices, "owns_title": True}
        element: str = render_to_string(
            "liveops/live_operation.html",
            {
                **context,
                "token": "page-token",
                "csrf_token": "csrf-of-the-page",
                "log": self.log,
                "content": mark_safe(REGIONS),  # noqa: S308
            },
        )
        for real, ours in (
            ("/ws/liveops/", self.ws_url),
            (reverse("liveops:token", args=[OPERATION]), TOKEN_URL),
            (reverse("liveops:snapshot", args=[OPERATION]), SNAPSHOT_URL),
        ):
            element = element.replace(f'"{real}"', f'"{ours}"')
        return element

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                if path == "/":
                    self.answer(200, "text/html", server.page(server.element()))
                elif path == "/list/":
                    self.answer(200, "text/html", server.page(LIST))
                elif path == "/rows/":
                    self.rows()
                elif path == SNAPSHOT_URL:
                    self.snapshot()
                elif path.startswith("/static/"):
                    self.static(path.removeprefix("/static/"))
                else:
                    self.answer(200, "text/html", f"<!doctype html><title>{path}</title>")

            def do_POST(self) -> None:
                server.tokens_asked.append(dict(self.headers.items()))
                self.answer(*server.token_answer)

            def rows(self) -> None:
                server.rows_asked.append(self.headers["If-None-Match"])
                status, etag, html = server.rows
                if self.headers["If-None-Match"] == f'"{etag}"':
                    status, html = 304, ""
                self.answer(status, "text/html", html, ETag=f'"{etag}"')

            def snapshot(self) -> None:
                query, etag = self.path.partition("?")[2], self.headers["If-None-Match"]
                server.polls.append(Poll(query, etag, time.monotonic()))
                answer, news = server.polled, server.polled.news
                head = news or server.operation
                beat = {"type": "heartbeat", "age": answer.age}
                beat |= {name: head[name] for name in ("attempt", "seq", "state")}
                self.answer(
                    304 if answer.status == 200 and news is None else answer.status,
                    answer.kind,
                    json.dumps(news) if news else "",
                    **{
                        "Liveop-Heartbeat": json.dumps(beat),
                        "Liveop-Protocol": str(answer.protocol),
                    },
                )

            def static(self, name: str) -> None:
                found: Path = next(folder / name for folder in STATIC if (folder / name).is_file())
                self.answer(200, TYPES[found.suffix], found.read_text(encoding="utf-8"))

            def answer(self, status: int, kind: str, text: str, **headers: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header(
                    "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; "
                    f"img-src 'self' data:; connect-src 'self' {server.ws_url}; base-uri 'none'; "
                    "require-trusted-types-for 'script'; trusted-types liveops",
                )
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Nothing: the test says what matters."""

        return Handler


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    threads = [
        threading.Thread(target=part.serve_forever, daemon=True)
        for part in (server.http, server.ws)
    ]
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        server.answers_handshakes.set()
        server.http.shutdown()
        server.http.server_close()
        server.ws.shutdown()
