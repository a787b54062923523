from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from liveops.exceptions import OperationCancelled
from liveops.execution import execute
from liveops.models import LiveOperation, State
from liveops.testing import RecordingProgress
from operations import normalise_contacts
from operations.contact_rules import Change
from operations.contacts import Contact
from operations.normalise_contacts import NormaliseContacts
from operations.tests.pages import shown

Add = Callable[..., Contact]
Run = Callable[[NormaliseContacts], RecordingProgress]


@pytest.fixture
def normalise(owner: User) -> Callable[..., NormaliseContacts]:
    def make(**options: Any) -> NormaliseContacts:
        return NormaliseContacts.objects.create(owner=owner, **options)

    return make


@pytest.fixture
def book(add: Add) -> list[Contact]:
    """Ten contacts, each with a name to change."""
    return [add(f"ANN LEE{'E' * i}", f"ann{i}@example.com") for i in range(10)]


@pytest.fixture
def saves() -> Iterator[Counter[int]]:
    """Counts how often each contact is saved, rolled back or not."""
    counts: Counter[int] = Counter()

    def count(instance: Contact, **_kwargs: Any) -> None:
        counts[instance.pk] += 1

    post_save.connect(count, sender=Contact)
    yield counts
    post_save.disconnect(count, sender=Contact)


def resumed(operation: NormaliseContacts, before: RecordingProgress) -> RecordingProgress:
    """The next attempt, from what the one before has left."""
    operation.on_restart()
    operation.cursor = before.checkpoints[-1]
    p = RecordingProgress(operation)
    operation.run(p)
    return p


def count_of(p: RecordingProgress) -> dict[str, int]:
    return {rule["key"]: rule["count"] for rule in p.results["rules"] if rule["count"]}


def test_contacts_are_brought_into_form(normalise: Any, run: Run, add: Add) -> None:
    messy = add(
        " ANN  MÜLLER",
        "ann@example.com",
        phone="030/1234567",
        company="IBM  Ltd",
        city="KÖLN",
        country="GERMANY",
        notes="  As   SHE\n\nwrote it ",
    )
    neat = add("Bob Lee", "bob@example.com", phone="+49 30 7654321", notes="x")
    p = run(normalise())
    messy.refresh_from_db()
    assert (messy.name, messy.phone, messy.company) == ("Ann Müller", "+49 30 1234567", "IBM Ltd")
    assert (messy.city, messy.country) == ("Köln", "Germany")
    assert messy.notes == "  As   SHE\n\nwrote it "
    assert Contact.objects.get(pk=neat.pk).updated_at == neat.updated_at
    assert (p.results["contacts"], p.results["changed"]) == (2, 1)
    assert count_of(p) == {"spaces": 2, "names": 1, "cities": 1, "countries": 1, "phones": 1}
    assert p.stages == {"Count": "done", "Normalise": "done"}
    assert (p.percents[-1], p.statuses[-1]) == (100, "1 contact changed")
    ((level, line),) = p.logs
    assert level == "info"
    assert line.startswith(" ANN  MÜLLER <ann@example.com>: country: 'GERMANY' → 'Germany'; name:")
    page = shown(p)
    assert "<q>030/1234567</q> → <q>+49 30 1234567</q>" in page
    assert '<td data-count="spaces">2</td>' in page


def test_a_second_run_has_nothing_to_do(
    normalise: Any, run: Run, book: list[Contact], saves: Counter[int]
) -> None:
    run(normalise())
    saves.clear()
    p = run(normalise())
    assert (p.results["contacts"], p.results["changed"], saves) == (10, 0, Counter())


def test_numbers_without_a_prefix_need_a_country(normalise: Any, run: Run, add: Add) -> None:
    contact = add("Ann", "ann@example.com", phone="030/1234567")
    p = run(normalise())
    assert (p.results["changed"], p.results["phones_left"]) == (0, 1)
    assert "1 phone number stays" in shown(p)
    p = run(normalise(region="DE"))
    contact.refresh_from_db()
    assert (contact.phone, p.results["phones_left"]) == ("+49 30 1234567", 0)


def test_a_dry_run_says_the_same_and_writes_nothing(
    normalise: Any, run: Run, book: list[Contact], saves: Counter[int]
) -> None:
    before = list(Contact.objects.order_by("pk").values())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        dry = run(normalise(dry_run=True))
    assert saves == Counter()
    assert not any('UPDATE "operations_contact"' in query["sql"] for query in queries)
    assert list(Contact.objects.order_by("pk").values()) == before
    assert dry.statuses[-1] == "10 contacts would be changed"
    assert "What would be changed" in shown(dry)
    real = run(normalise())
    assert {**dry.results, "dry_run": False} == real.results
    assert dry.logs == real.logs


def test_the_contacts_of_others_are_never_touched(
    normalise: Any, run: Run, book: list[Contact], add: Add, stranger: User
) -> None:
    foreign = add("BOB LEE", "bob@example.com", owner=stranger)
    p = run(normalise())
    assert Contact.objects.get(pk=foreign.pk).name == "BOB LEE"
    assert p.results["contacts"] == 10
    assert "BOB" not in str(p.logs)


def test_an_address_that_another_contact_has_stays(normalise: Any, run: Run, add: Add) -> None:
    add("Ann", "ann@example.com")
    other = add("ANN LEE", " ann@example.com ")
    p = run(normalise())
    other.refresh_from_db()
    assert (other.name, other.email) == ("Ann Lee", " ann@example.com ")
    assert p.results["emails_taken"] == 1
    assert "1 e-mail address stays" in shown(p)


@pytest.mark.parametrize("batch", [1, 3, 5, 10, 11])
def test_every_size_of_batch_gives_the_same(
    normalise: Any,
    run: Run,
    book: list[Contact],
    saves: Counter[int],
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    monkeypatch.setattr(normalise_contacts, "BATCH", batch)
    p = run(normalise())
    assert saves == Counter(contact.pk for contact in book)
    assert (p.results["changed"], count_of(p)) == (10, {"names": 10})
    assert len(p.checkpoints) == -(-10 // batch)


@pytest.mark.parametrize("checks", [0, 1, 2])
def test_a_resumed_run_saves_each_contact_once_and_counts_all(
    normalise: Any,
    book: list[Contact],
    saves: Counter[int],
    monkeypatch: pytest.MonkeyPatch,
    checks: int,
) -> None:
    monkeypatch.setattr(normalise_contacts, "BATCH", 3)
    operation = normalise()
    first = RecordingProgress(operation, cancel_after=checks)
    with pytest.raises(OperationCancelled):
        operation.run(first)
    done = 3 * (checks + 1)
    assert sum(saves.values()) == first.cursor["done"] == done
    second = resumed(operation, first)
    assert saves == Counter(contact.pk for contact in book)
    assert (second.results["contacts"], second.results["changed"]) == (10, 10)
    assert count_of(second) == {"names": 10}
    assert second.logs[0] == ("info", f"Going on after {done} contacts, which are done")
    assert second.percents[0] == 10 * done


def test_a_retry_keeps_the_cursor(normalise: Any, db: None) -> None:
    operation = normalise(cursor={"after": 7, "done": 3}, state=State.FAILED)
    assert operation.restart()
    assert LiveOperation.objects.get(pk=operation.pk).cursor == {"after": 7, "done": 3}


@pytest.mark.django_db(transaction=True)
def test_an_exception_rolls_back_the_batch_and_its_cursor(
    normalise: Any, book: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalise_contacts, "BATCH", 4)
    changes_of = normalise_contacts.changes_of

    def break_at_the_sixth(contact: Contact, region: str) -> Iterator[Change]:
        if contact.pk == book[5].pk:
            raise RuntimeError("no luck")
        return changes_of(contact, region)

    def work(operation: LiveOperation) -> Any:
        claimed = LiveOperation.claim(operation.pk, operation.attempt, "test")
        assert claimed is not None
        execute(claimed)
        return LiveOperation.objects.get(pk=operation.pk).as_kind()

    monkeypatch.setattr(normalise_contacts, "changes_of", break_at_the_sixth)
    failed = work(normalise())
    assert failed.state == State.FAILED
    assert (failed.cursor["done"], failed.cursor["after"]) == (4, book[3].pk)
    names = list(Contact.objects.order_by("pk").values_list("name", flat=True))
    assert [name.isupper() for name in names] == 4 * [False] + 6 * [True]

    monkeypatch.setattr(normalise_contacts, "changes_of", changes_of)
    assert failed.restart()
    done = work(failed)
    assert done.state == State.SUCCEEDED
    assert done.result_context["changed"] == 10
    assert not any(contact.name.isupper() for contact in Contact.objects.all())


def test_no_transaction_spans_two_batches(
    normalise: Any, book: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalise_contacts, "BATCH", 5)
    depth = len(connection.savepoint_ids)
    operation = normalise()
    p = RecordingProgress(operation)
    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(p, "checkpoint", lambda _: seen.append(("checkpoint", inside())))
    monkeypatch.setattr(p, "check_cancelled", lambda: seen.append(("between", inside())))

    def inside() -> int:
        return len(connection.savepoint_ids) - depth

    operation.run(p)
    assert seen == [("checkpoint", 1), ("between", 0)] * 2


def test_log_and_cursor_stay_small(
    normalise: Any, run: Run, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalise_contacts, "LOGGED", 4)
    for i in range(8):
        add(f"ANN {'LEE' * 60}", f"ann{i}@example.com")
    p = run(normalise())
    assert len(p.logs) == 5
    assert p.logs[-1][1] == "Further changes are not listed."
    assert p.results["changed"] == 8
    assert len(p.checkpoints[-1]["examples"]["names"]) == normalise_contacts.EXAMPLES
    assert len(str(p.checkpoints[-1])) < 1_000


def test_an_empty_address_book_is_done_at_once(normalise: Any, run: Run) -> None:
    p = run(normalise())
    assert (p.results["contacts"], p.percents[-1]) == (0, 100)
    assert "0 contacts looked at" in shown(p)


def test_hostile_names_are_shown_inert(normalise: Any, run: Run, add: Add) -> None:
    add("<IMG SRC=X  ONERROR=ALERT(1)>", "ann@example.com")
    page = shown(run(normalise()))
    assert "<img" not in page.lower()
    assert "&lt;IMG" in page


def test_figures_have_separators(normalise: Any, run: Run, book: list[Contact]) -> None:
    p = run(normalise())
    p.results["contacts"] = 12345
    assert "12,345 contacts looked at" in shown(p)
