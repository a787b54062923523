"""The floor: an ASGI application that only accepts websockets, and the cheapest possible report.

As a program, `python bench_floor.py REDIS_PORT`, it prints what escaping one line and publishing
it through a Redis pipeline cost, in microseconds each.
"""

import html
import json
import sys
import time
from typing import Any

import redis

LINES = 20_000
AT_ONCE = 200


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accepts and says one word, as every contender says something to a new watcher."""
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    while (await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "{}"})


def main(port: int) -> None:
    texts = [f"line {number} <of> many" for number in range(LINES)]
    began = time.perf_counter()
    for text in texts:
        html.escape(text)
    escaped = time.perf_counter() - began

    pipeline = redis.Redis(port=port).pipeline(transaction=False)
    began = time.perf_counter()
    for number, text in enumerate(texts, start=1):
        pipeline.publish("floor", text)
        if number % AT_ONCE == 0:
            pipeline.execute()
    published = time.perf_counter() - began
    micro = 1e6 / LINES
    sys.stdout.write(json.dumps({"escape_us": escaped * micro, "publish_us": published * micro}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
