from collections.abc import Callable, Iterator

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import User
from operations.contacts import BATCH, Contact, count_known, save_contacts


def people(number: int, name: str = "Somebody") -> Iterator[dict[str, str]]:
    return ({"name": name, "email": f"p{i}@example.com"} for i in range(number))


def test_saving_creates_what_is_new_and_updates_the_rest(
    owner: User, add: Callable[..., Contact]
) -> None:
    kept = add("Old name", "p1@example.com", phone="123")
    assert save_contacts(owner.pk, people(3), ["name", "email"]) == 2
    kept.refresh_from_db()
    assert (kept.name, kept.phone) == ("Somebody", "123")
    assert Contact.objects.count() == 3


def test_saving_again_changes_the_time_of_the_update_only(owner: User) -> None:
    save_contacts(owner.pk, people(1), ["name", "email"])
    before = Contact.objects.get()
    assert save_contacts(owner.pk, people(1), ["name", "email"]) == 0
    after = Contact.objects.get()
    assert (after.pk, after.created_at) == (before.pk, before.created_at)
    assert after.updated_at > before.updated_at


def test_saving_is_all_or_nothing(owner: User) -> None:
    def breaks_in_the_third_batch() -> Iterator[dict[str, str]]:
        yield from people(2 * BATCH)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        save_contacts(owner.pk, breaks_in_the_third_batch(), ["name", "email"])
    assert not Contact.objects.exists()


def test_the_same_address_may_be_in_the_book_of_somebody_else(
    owner: User, stranger: User, add: Callable[..., Contact]
) -> None:
    theirs = add("Theirs", "p0@example.com", owner=stranger)
    assert save_contacts(owner.pk, people(1), ["name", "email"]) == 1
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"
    assert count_known(owner.pk, ["p0@example.com", "p1@example.com"]) == 1


def test_known_addresses_are_counted_beyond_one_batch(owner: User) -> None:
    save_contacts(owner.pk, people(BATCH + 5), ["name", "email"])
    emails = [f"p{i}@example.com" for i in range(2 * BATCH)]
    assert count_known(owner.pk, emails) == BATCH + 5


def test_the_database_refuses_a_second_contact_with_the_address(
    owner: User, add: Callable[..., Contact]
) -> None:
    add("One", "a@example.com")
    with pytest.raises(IntegrityError):
        add("Two", "a@example.com")


def test_the_database_refuses_capital_letters_in_an_address(
    owner: User, add: Callable[..., Contact]
) -> None:
    with pytest.raises(IntegrityError):
        add("One", "A@example.com")


def test_a_form_writes_the_address_in_lower_case(owner: User) -> None:
    contact = Contact(owner=owner, name="One", email="A@Example.com")
    contact.full_clean()
    contact.save()
    assert contact.email == "a@example.com"
    assert str(contact) == "One <a@example.com>"


def test_a_form_refuses_an_address_that_differs_in_case_only(
    owner: User, add: Callable[..., Contact]
) -> None:
    add("One", "a@example.com")
    with pytest.raises(ValidationError, match="with this address already"):
        Contact(owner=owner, name="Two", email="A@Example.com").full_clean()
