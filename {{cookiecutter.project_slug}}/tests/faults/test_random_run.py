"""Many operations of all kinds, many clicks, and faults at random, from a seed that is printed."""

import os
import random
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from kombu.exceptions import OperationalError

from liveops.models import LiveOperation, State
from tests.client import SiteClient
from tests.faults.chaos import Chaos
from tests.faults.figures import Figures
from tests.faults.ledger import count_stuck, operation
from tests.faults.matrix import RANDOM_RUN
from tests.faults.stack import FaultStack
from tests.faults.swarm import Swarm
from tests.faults.test_messages import deliver
from tests.faults.truth import examine

SEED = int(os.environ.get("FAULTS_SEED") or secrets.randbelow(10**6))
OPERATIONS = int(os.environ.get("RANDOM_OPERATIONS", "200"))
SECONDS = float(os.environ.get("RANDOM_SECONDS", "180"))
WATCHED = 10
# What is left in the queue, lost runs to be found, and messages to be sent again.
SETTLES_WITHIN = 180.0
CLICK_WITHIN = 60.0

NewMember = Callable[[], SiteClient]
Answer = TypeVar("Answer")


def some_kind(rng: random.Random) -> tuple[str, dict[str, Any]]:
    pause = rng.choice([0.0, 0.01, 0.03])
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("kinds.greeting", {}),
        ("kinds.chatter", {"lines": rng.randint(2, 200), "burst": 1, "pause": pause}),
        ("kinds.deeds", {"steps": rng.randint(1, 40), "pause": pause}),
        ("kinds.ledger", {"steps": rng.randint(1, 80), "pause": pause}),
        ("kinds.ledger", {"steps": rng.randint(80, 160), "pause": 0.03}),
        ("kinds.failing", {"how": rng.choice(["raise", "p.error"])}),
    ]
    return rng.choice(kinds)


@dataclass
class People:
    """Members who click on, whatever happens to the site; a click that fails is repeated."""

    members: list[SiteClient]
    rng: random.Random
    started: dict[str, SiteClient] = field(default_factory=dict)
    clicks: Counter[str] = field(default_factory=Counter)

    def start(self) -> str:
        member = self.rng.choice(self.members)
        kind, fields = some_kind(self.rng)
        # The same form again and again: it makes one operation all the same.
        key = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        operation_id = self.insist(lambda: member.start(kind, form_key=str(key), **fields))
        self.started[operation_id] = member
        return operation_id

    def cancel(self) -> None:
        if active := self.some(State.QUEUED, State.RUNNING):
            self.insist(lambda: self.started[active].cancel(active))
            self.clicks["cancel"] += 1

    def retry(self) -> None:
        if ended := self.some(State.FAILED, State.CANCELLED, State.LOST):
            self.insist(lambda: self.started[ended].restart(ended))
            self.clicks["retry"] += 1

    def duplicate(self, stack: FaultStack) -> None:
        if self.started:
            row = operation(self.rng.choice(list(self.started)))
            try:
                for _ in range(3):
                    deliver(stack, str(row.pk), row.attempt)
            except OperationalError:
                return
            self.clicks["duplicate messages"] += 1

    def some(self, *states: State) -> str | None:
        rows = LiveOperation.objects.filter(pk__in=self.started, state__in=states)
        found = sorted(str(pk) for pk in rows.values_list("pk", flat=True))
        return self.rng.choice(found) if found else None

    def insist(self, click: Callable[[], Answer]) -> Answer:
        end = time.monotonic() + CLICK_WITHIN
        while True:
            try:
                return click()
            except httpx.HTTPError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.3)


@pytest.mark.fault(RANDOM_RUN)
def test_many_operations_while_faults_come_at_random(
    stack: FaultStack, new_member: NewMember, figures: Figures
) -> None:
    print(f"FAULTS_SEED={SEED}", end=" ")
    figures.note(f"FAULTS_SEED={SEED}")
    people = People([new_member() for _ in range(4)], random.Random(SEED))  # noqa: S311
    watching: dict[str, Swarm] = {}
    with ExitStack() as pages:
        with Chaos(stack, SEED + 1) as chaos:
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < SECONDS:
                # All are started in the first three quarters, so that faults meet all of them.
                due = OPERATIONS * min(1.0, elapsed / (0.75 * SECONDS))
                if len(people.started) < min(due, OPERATIONS):
                    operation_id = people.start()
                    if len(watching) < WATCHED and people.rng.random() < 0.2:
                        watched = Swarm([people.started[operation_id]], operation_id, 1)
                        watching[operation_id] = pages.enter_context(watched)
                else:
                    time.sleep(0.1)
                match people.rng.randrange(24):
                    case 0 | 1:
                        people.cancel()
                    case 2 | 3:
                        people.retry()
                    case 4:
                        people.duplicate(stack)
        while len(people.started) < OPERATIONS:
            people.start()
        with figures.time_until_right():
            count_stuck(figures, people.started, within=SETTLES_WITHIN)
        states = Counter(examine(figures, each) for each in people.started)
        expect_one_operation_for_each_form(figures, people)
        for operation_id, swarm in watching.items():
            expect_right_page(swarm, operation_id)
    for operation_id, member in people.started.items():
        assert member.live_page(operation_id).state == operation(operation_id).state
    figures.note(f"{len(people.started)} operations ended {in_words(states)}")
    figures.note(f"faults: {in_words(chaos.done)}; clicks: {in_words(people.clicks)}")


def expect_one_operation_for_each_form(figures: Figures, people: People) -> None:
    owners = {operation(each).owner_id for each in people.started}
    figures.twice += LiveOperation.objects.filter(owner__in=owners).count() - len(people.started)


def expect_right_page(swarm: Swarm, operation_id: str) -> None:
    row = operation(operation_id)
    swarm.wait_for(
        lambda page: (
            page.view.state == row.state
            and page.view.attempt == row.attempt
            and page.view.last_line == row.log_lines
        ),
        "the page shows the record",
    )
    for page in swarm.pages:
        assert page.view.problems == []
        numbers = [line.number for line in page.view.lines]
        assert numbers == list(range(row.log_lines - len(numbers) + 1, row.log_lines + 1))


def in_words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
