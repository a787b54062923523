"""Two imports into one address book at the same time, on a real database."""

import secrets
import threading
from collections.abc import Iterable

from django.db import DatabaseError, connections

from accounts.models import User
from operations.contacts import Contact, save_contacts
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
