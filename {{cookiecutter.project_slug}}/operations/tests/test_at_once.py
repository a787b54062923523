"""Two runs that change one address book at the same time, on a real database."""

import secrets
import threading
import time
from collections.abc import Iterable, Iterator

from django.db import DatabaseError, connections

from accounts.models import User
from liveops.testing import RecordingProgress
from operations.contacts import BATCH, Contact, save_contacts
from operations.normalise_contacts import NormaliseContacts
from tests.services import Stack


def test_imports_of_the_same_contacts_in_opposite_order_both_succeed(stack: Stack) -> None:
    owner = User.objects.create_user(f"member-{secrets.token_hex(4)}")
    created: list[int] = []
    errors: list[DatabaseError] = []

    def save(order: Iterable[int]) -> None:
        contacts = ({"name": "Ann", "email": f"p{i}@example.com"} for i in order)
        try:
            created.append(save_contacts(owner.pk, contacts, ["name", "email"]))
        except DatabaseError as error:
            errors.append(error)
        finally:
            connections.close_all()

    orders = [range(2500), range(2499, -1, -1)]
    threads = [threading.Thread(target=save, args=[order]) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(created) == [0, 2500]
    assert Contact.objects.filter(owner=owner).count() == 2500


def test_a_normalisation_waits_for_an_import_of_the_same_contacts(stack: Stack) -> None:
    owner = User.objects.create_user(f"member-{secrets.token_hex(4)}")
    book = [{"name": "ANN LEE", "email": f"p{i}@example.com"} for i in range(BATCH + 1)]
    save_contacts(owner.pk, book, ["name", "email"])
    operation = NormaliseContacts.objects.create(owner=owner)
    p = RecordingProgress(operation)
    errors: list[DatabaseError] = []
    waiting = threading.Event()

    def normalise() -> None:
        waiting.set()
        try:
            operation.run(p)
        except DatabaseError as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=normalise)

    def backwards() -> Iterator[dict[str, str]]:
        """All but the first contact are locked when the normalisation begins with that one."""
        for position, values in enumerate(reversed(book)):
            if position == BATCH:
                thread.start()
                waiting.wait()
                time.sleep(1)
            yield values

    assert save_contacts(owner.pk, backwards(), ["name", "email"]) == 0
    thread.join()
    assert errors == []
    assert p.results["changed"] == len(book)
    assert not Contact.objects.filter(owner=owner, name="ANN LEE").exists()
