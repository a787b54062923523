from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from operations.contacts import Contact


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("staff"))
    return client


def test_staff_find_contacts_of_everybody(
    staff: Client, stranger: User, add: Callable[..., Contact]
) -> None:
    add("Ann", "ann@example.com")
    add("Bo", "bo@example.com", owner=stranger)
    page = staff.get(reverse("admin:operations_contact_changelist"), {"q": "example.com"})
    assert "ann@example.com" in page.content.decode()
    assert "bo@example.com" in page.content.decode()


def test_an_address_typed_by_staff_is_kept_in_lower_case(staff: Client, owner: User) -> None:
    values = {"owner": owner.pk, "name": "Ann", "email": "Ann@Example.com"}
    answer = staff.post(reverse("admin:operations_contact_add"), values)
    assert answer.status_code == 302
    assert Contact.objects.get().email == "ann@example.com"


def test_a_second_contact_with_the_address_is_refused_with_a_reason(
    staff: Client, owner: User, add: Callable[..., Contact]
) -> None:
    add("Ann", "ann@example.com")
    values = {"owner": owner.pk, "name": "Anna", "email": "ANN@example.com"}
    answer = staff.post(reverse("admin:operations_contact_add"), values)
    assert "There is a contact with this address already." in answer.content.decode()
    assert Contact.objects.count() == 1
