"""A worker is killed while it normalises contacts, and another one goes on."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection

from accounts.models import User
from liveops.models import LiveOperation, State
from liveops.record import Log
from operations.contacts import Contact
from tests.client import SiteClient
from tests.processes import wait_until
from tests.services import Stack

CONTACTS = 3_000
SHARE = 0.6

# The worker is another process: only the database sees every row that it writes.
TABLE = "CREATE TABLE counted_saves (contact bigint)"
COUNT = "INSERT INTO counted_saves VALUES (NEW.id);"
TRIGGER = "CREATE TRIGGER count_saves AFTER UPDATE ON operations_contact"
FUNCTION = "CREATE FUNCTION count_save() RETURNS trigger LANGUAGE plpgsql AS"
COUNTERS = {
    "sqlite": [TABLE, f"{TRIGGER} BEGIN {COUNT} END"],
    "postgresql": [
        TABLE,
        f"{FUNCTION} 'BEGIN {COUNT} RETURN NEW; END'",
        f"{TRIGGER} FOR EACH ROW EXECUTE FUNCTION count_save()",
    ],
}
LEFT = {
    "sqlite": ["DROP TRIGGER count_saves", "DROP TABLE counted_saves"],
    "postgresql": ["DROP FUNCTION count_save CASCADE", "DROP TABLE counted_saves"],
}


def execute(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def counted_saves(stack: Stack) -> Iterator[None]:
    execute(COUNTERS[connection.vendor])
    yield
    execute(LEFT[connection.vendor])


def saves_of(contacts: list[int]) -> Counter[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT contact FROM counted_saves")
        counts = Counter(row[0] for row in cursor.fetchall())
    return Counter({pk: counts[pk] for pk in contacts})


def fill_book(owner: User) -> list[int]:
    Contact.objects.bulk_create(
        Contact(
            owner=owner,
            name=f"ANN  MÜLLER-{'ABCDEFGHIJ'[i % 10]}E",
            email=f"ann{i}@example.com",
            phone=f"030/{1_000_000 + i}",
            country="GERMANY",
        )
        for i in range(CONTACTS)
    )
    return list(Contact.objects.filter(owner=owner).values_list("pk", flat=True))


def kill_at(operation_id: str, done: int) -> int:
    """Kills the process that runs the operation; gives how far it had come just before."""
    row = LiveOperation.objects.filter(pk=operation_id)
    reached: list[int] = []

    def is_reached() -> bool:
        cursor, worker, state = row.values_list("cursor", "worker", "state").get()
        assert state in {State.QUEUED, State.RUNNING}, f"{state} before it could be killed"
        if not cursor or cursor["done"] < done:
            return False
        os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
        reached.append(cursor["done"])
        return True

    end = time.monotonic() + 60
    while not is_reached():
        assert time.monotonic() < end, "the run did not come far enough"
        time.sleep(0.005)
    return reached[0]


def test_a_killed_run_goes_on_by_itself_and_touches_each_contact_once(
    stack: Stack, counted_saves: None, member: SiteClient
) -> None:
    owner = User.objects.latest("pk")
    contacts = fill_book(owner)
    operation_id = member.start("operations.normalisecontacts")
    killed_at = kill_at(operation_id, int(SHARE * CONTACTS))
    began = time.monotonic()
    row = LiveOperation.objects.filter(pk=operation_id)
    wait_until(lambda: row.get().attempt == 2, "the run is started again", within=60)
    noticed = time.monotonic() - began
    wait_until(lambda: row.get().is_finished, "the second attempt is over", within=60)
    took = time.monotonic() - began

    operation = row.get()
    assert (operation.state, operation.attempt) == (State.SUCCEEDED, 2)
    ways = list(operation.events.order_by("pk").values_list("to_state", flat=True))
    assert ways == ["QUEUED", "RUNNING", "LOST", "QUEUED", "RUNNING", "SUCCEEDED"]
    first_line = next(iter(Log(operation, 2))).text
    resumed_at = int("".join(filter(str.isdigit, first_line)))
    saves = saves_of(contacts)
    print(
        f"killed at {killed_at:,} of {CONTACTS:,}, went on from {resumed_at:,} after "
        f"{noticed:.1f} s, done after {took:.1f} s; contacts saved once: "
        f"{sum(count == 1 for count in saves.values()):,}, more often: "
        f"{sum(count > 1 for count in saves.values())}, never: "
        f"{sum(count == 0 for count in saves.values())}",
        end=" ",
    )
    assert killed_at <= resumed_at < CONTACTS
    assert set(saves.values()) == {1}
    result = operation.result_context or {}
    assert (result["contacts"], result["changed"]) == (CONTACTS, CONTACTS)
    counts = {rule["key"]: rule["count"] for rule in result["rules"] if rule["count"]}
    assert counts == dict.fromkeys(["spaces", "names", "countries", "phones"], CONTACTS)
    assert Contact.objects.filter(owner=owner, phone__startswith="+49 30 ").count() == CONTACTS
