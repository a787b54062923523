"""Start an operation, follow it over the websocket, and end as it ends. Ctrl-C cancels it.

    export LIVEOPS_URL=https://live.example.org LIVEOPS_TOKEN=…
    python follow.py operations.importcontacts file=@contacts.csv dry_run=true

Exit code: 0 succeeded, 1 did not, 2 was refused by the site.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin


def pause(failures: int) -> float:
    return random.uniform(0, min(30, 0.5 * 2**failures))  # noqa: S311


class Follower:
    """The websocket tells that there is news and the API what it is, so no news is lost."""

    operation: dict[str, Any]
    after: dict[str, int] | None = None
    attempt, next_line, status = 0, 1, ""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http, self.news = http, asyncio.Event()

    async def call(self, path: str, method: str = "POST", **request: Any) -> dict[str, Any]:
        """Ask the API, again and again while the site or the network is away."""
        for failures in itertools.count():
            wait = pause(failures)
            try:
                answer = await self.http.request(method, path, **request)
                if answer.status_code not in {429, 502, 503, 504}:
                    break
                wait = float(answer.headers.get("Retry-After", wait))
            except httpx.TransportError as error:
                print(repr(error), file=sys.stderr)
            await asyncio.sleep(wait)
        if answer.is_error and answer.status_code != httpx.codes.CONFLICT:
            print(f"{answer.status_code} {path}: {answer.text}", file=sys.stderr)
            sys.exit(2)
        return dict(answer.json())

    async def watch(self) -> None:
        """Come back with a fresh token whenever the connection ends, after what was seen."""
        failures, origin = 0, str(self.http.base_url).rstrip("/")
        while True:
            token = await self.call(self.operation["urls"]["subscription_token"])
            address = origin.replace("http", "ws", 1) + token["websocket"]
            subscribe = {"type": "subscribe", "token": token["token"], "after": self.after}
            try:
                async with connect(address, origin=Origin(origin), max_size=None) as socket:
                    await socket.send(json.dumps(subscribe))
                    async for text in socket:
                        message, failures = json.loads(text), 0
                        self.news.set()
                        if message["type"] != "authentication":
                            self.after = {name: message[name] for name in ("attempt", "seq")}
                            await socket.send(json.dumps({"type": "ack", **self.after}))
            except (WebSocketException, OSError) as error:
                print(f"The websocket ended: {error!r}", file=sys.stderr)
            failures += 1
            await asyncio.sleep(pause(failures))

    async def show_news(self) -> bool:
        operation = self.operation = await self.call(self.operation["url"], "GET")
        if operation["attempt"] != self.attempt:
            self.attempt, self.next_line = operation["attempt"], 1
        while self.next_line <= operation["log_lines"]:
            query = {"attempt": self.attempt, "from": self.next_line}
            log = await self.call(operation["urls"]["log"], "GET", params=query)
            for line in log["lines"]:
                print(f"{line['number']:>6} {line['level']:<7} {line['text']}")
            self.next_line = log["next"]
        before, self.status = self.status, f"{operation['state']} {operation['status']['text']}"
        if self.status != before:
            print(f"{'-':>6} {self.status}", flush=True)
        return operation["state"] in {"SUCCEEDED", "FAILED", "CANCELLED", "LOST"}


async def main(kind: str, form: Any) -> int:
    # The same key with each repetition, so that a lost answer starts nothing twice.
    key = {"Idempotency-Key": str(uuid.uuid4())}
    headers = {"Authorization": f"Token {os.environ['LIVEOPS_TOKEN']}", **key}
    async with httpx.AsyncClient(base_url=os.environ["LIVEOPS_URL"], headers=headers) as http:
        follower, loop = Follower(http), asyncio.get_running_loop()
        follower.operation = await follower.call(f"/api/kinds/{kind}/operations/", files=form)
        cancel = follower.operation["urls"]["cancel"]
        async with asyncio.TaskGroup() as tasks:
            signal.signal(
                signal.SIGINT,
                lambda *_: loop.call_soon_threadsafe(tasks.create_task, follower.call(cancel)),
            )
            watching = tasks.create_task(follower.watch())
            while not await follower.show_news():
                await asyncio.sleep(0.5)  # what comes quickly is fetched together
                await follower.news.wait()
                follower.news.clear()
            watching.cancel()
    return 0 if follower.operation["state"] == "SUCCEEDED" else 1


if __name__ == "__main__":
    fields = [field.split("=", 1) for field in sys.argv[2:]]
    parts = {n: (v[1:], Path(v[1:]).read_bytes()) if v[:1] == "@" else (None, v) for n, v in fields}
    sys.exit(asyncio.run(main(sys.argv[1], parts)))
