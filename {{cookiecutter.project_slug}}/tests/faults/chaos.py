"""Faults that come at random, from a seed."""

import os
import random
import signal
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from tests.faults.stack import FaultStack

# Seconds between the end of a fault and the next one.
CALM = (1.0, 4.0)


class Chaos:
    """Does one fault after the other to the stack until the context is left, and heals it then."""

    def __init__(self, stack: FaultStack, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self._stack = stack
        self._random = random.Random(seed)  # noqa: S311 (no secret)
        self._over = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._faults = {
            "kill child": self.kill_child,
            "kill worker": self.kill_worker,
            "SIGTERM worker": self.shut_worker_down,
            "restart Redis": stack.restart_redis,
            "FLUSHALL": stack.flush_redis,
            "restart web": stack.restart_web,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(120)
        self._stack.heal()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        while not self._over.wait(self._random.uniform(*CALM)):
            name = self._random.choice(list(self._faults))
            try:
                self._faults[name]()
            except (AssertionError, OSError) as failure:
                failure.add_note(f"while it did: {name}")
                self._failure = failure
                return
            self.done[name] += 1

    def kill_child(self) -> None:
        children = self._stack.worker_children()
        if children:
            os.kill(self._random.choice(children), signal.SIGKILL)

    def kill_worker(self) -> None:
        self._stack.kill_worker()
        time.sleep(self._random.uniform(0, 2))
        self._stack.start_worker()

    def shut_worker_down(self) -> None:
        self._stack.shut_worker_down(within=30)
        self._stack.start_worker()
