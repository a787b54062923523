"""How many operations run at a time. The others wait for their turn, in the order they came."""

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F

from liveops.conf import conf
from liveops.models import LiveOperation, State, kinds

# Any number that nothing else in the database locks.
ADVISORY_LOCK = 0x6C69_7665_6F70


class Waiting(NamedTuple):
    """A queued operation and whether there is room for it now."""

    pk: uuid.UUID
    kind: str
    owner_id: int
    # Its message has come, at a time when there was no room.
    held: bool
    has_room: bool


def claim_in_turn(pk: uuid.UUID | str, attempt: int, worker: str) -> LiveOperation | None:
    """Like `LiveOperation.claim()`, but an operation without room stays QUEUED, and is held."""
    limits = _limits_of_kinds()
    if not limits and not conf.MAX_RUNNING_PER_USER:
        return LiveOperation.claim(pk, attempt, worker)
    with transaction.atomic():
        _one_claim_at_a_time()
        for waiting in _queue(limits):
            if str(waiting.pk) == str(pk) and not waiting.has_room:
                mine = LiveOperation.objects.filter(pk=pk, attempt=attempt, state=State.QUEUED)
                mine.filter(held=False).update(held=True, seq=F("seq") + 1)
                return None
        return LiveOperation.claim(pk, attempt, worker)


def release_those_with_room() -> list[LiveOperation]:
    """The held operations whose turn has come; each is given to one caller only."""
    held = LiveOperation.objects.filter(state=State.QUEUED, held=True)
    if not held.exists():
        return []
    waiting = _queue(_limits_of_kinds())
    ready = [each.pk for each in waiting if each.held and each.has_room]
    mine = [pk for pk in ready if held.filter(pk=pk).update(held=False)]
    return list(LiveOperation.objects.filter(pk__in=mine))


def place_of(operation: LiveOperation) -> int | None:
    """Which place a held operation has among those that wait for the same room; 1 is the next."""
    if operation.state != State.QUEUED or not operation.held:
        return None
    place = 1
    for waiting in _queue(_limits_of_kinds()):
        if waiting.pk == operation.pk:
            return place
        same_room = waiting.kind == operation.kind or waiting.owner_id == operation.owner_id
        if not waiting.has_room and same_room:
            place += 1
    return None


def _queue(limits: dict[str, int]) -> Iterator[Waiting]:
    """All queued operations in order; those with room take it from those behind them."""
    running = LiveOperation.objects.filter(state=State.RUNNING).values_list("kind", "owner_id")
    of_kind: Counter[str] = Counter()
    of_user: Counter[int] = Counter()
    for kind, owner_id in running.iterator():
        of_kind[kind] += 1
        of_user[owner_id] += 1
    queued = LiveOperation.objects.filter(state=State.QUEUED).order_by("created_at", "pk")
    per_user = conf.MAX_RUNNING_PER_USER
    for pk, kind, owner_id, held in queued.values_list("pk", "kind", "owner_id", "held"):
        has_room = (not limits.get(kind) or of_kind[kind] < limits[kind]) and (
            not per_user or of_user[owner_id] < per_user
        )
        if has_room:
            of_kind[kind] += 1
            of_user[owner_id] += 1
        yield Waiting(pk, kind, owner_id, held, has_room)


def _limits_of_kinds() -> dict[str, int]:
    return {kind.kind_name(): kind.max_running for kind in kinds() if kind.max_running}


def _one_claim_at_a_time() -> None:
    """Until the end of the transaction. SQLite has but one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
