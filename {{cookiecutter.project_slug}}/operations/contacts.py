"""What the example operations work on: an address book for each user."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

Item = TypeVar("Item")

NOTES_MAX_LENGTH = 5000
# Rows for each statement, so that memory does not grow with the file.
BATCH = 1_000


class Contact(models.Model):
    """Somebody whom a user knows. The address in lower case is its key within the owner's book."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="contacts",
        db_index=False,
        verbose_name=_("owner"),
    )
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"))
    # As written: without a country, no number can be brought into one form.
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), max_length=NOTES_MAX_LENGTH, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "email"],
                name="operations_contact_email",
                violation_error_message=_("There is a contact with this address already."),
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="operations_contact_email_lower",
                violation_error_message=_("Write the address in lower case."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    def clean_fields(self, exclude: Any = None) -> None:
        super().clean_fields(exclude)
        self.email = self.email.lower()


def lock_address_book(owner_id: Any) -> None:
    """Wait until nobody else saves many contacts of the owner; to be called in a transaction.

    Two of them at once could end in a deadlock on PostgreSQL.
    """
    get_user_model()._base_manager.select_for_update(no_key=True).get(pk=owner_id)


def save_contacts(owner_id: Any, contacts: Iterable[dict[str, str]], fields: list[str]) -> int:
    """Create contacts, or update `fields` where the owner has the address already.

    All or none of them, in one transaction. `contacts` are values by field, each address once.
    Returns how many are new.
    """
    mine = Contact.objects.filter(owner_id=owner_id)
    with transaction.atomic():
        lock_address_book(owner_id)
        before = mine.count()
        for batch in _batches(contacts):
            Contact.objects.bulk_create(
                [Contact(owner_id=owner_id, **values) for values in batch],
                update_conflicts=True,
                unique_fields=["owner", "email"],
                update_fields=[*fields, "updated_at"],
            )
        return mine.count() - before


def count_known(owner_id: Any, emails: Iterable[str]) -> int:
    """How many of the addresses, each given once, are in the owner's address book."""
    mine = Contact.objects.filter(owner_id=owner_id)
    return sum(mine.filter(email__in=batch).count() for batch in _batches(emails))


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
