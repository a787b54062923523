"""Normalise contacts: one way to write names, places, addresses and phone numbers."""

from dataclasses import asdict, dataclass, field

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from liveops.models import LiveOperation
from liveops.progress import Progress
from operations.contact_rules import RULES, Change, changes_of
from operations.contacts import Contact, lock_address_book
from operations.phone_numbers import region_choices

# Contacts for each transaction: it holds locks for a fraction of a second.
BATCH = 200
# Changed contacts beyond this are counted, not logged.
LOGGED = 500
# Examples for each rule; they travel in the cursor, which has to stay small.
EXAMPLES = 3
SHOWN = 60


@dataclass
class Tally:
    """How far the work has come and what it has found: the cursor, from one attempt to the next."""

    # The key of the last contact that was looked at.
    after: int = 0
    done: int = 0
    changed: int = 0
    # Phone numbers that are not in the international form and stay so.
    phones_left: int = 0
    # Addresses that another contact has already.
    emails_taken: int = 0
    # rule → values changed
    counts: dict[str, int] = field(default_factory=dict)
    # rule → [[before, after], …]
    examples: dict[str, list[list[str]]] = field(default_factory=dict)

    def add(self, change: Change) -> None:
        self.counts[change.rule] = self.counts.get(change.rule, 0) + 1
        examples = self.examples.setdefault(change.rule, [])
        if len(examples) < EXAMPLES:
            examples.append([_shown(change.before), _shown(change.after)])


class NormaliseContacts(LiveOperation):
    """Saves batch by batch, together with how far it has come, and goes on from there."""

    title = gettext_lazy("Normalise contacts")
    description = gettext_lazy(
        "Writes phone numbers, e-mail addresses, names and places in your address book in one "
        "way. Nothing is lost: what is in doubt stays as it is. Goes on where it was interrupted."
    )
    icon = "🧹"
    stages = ["Count", "Normalise"]
    # A batch is saved once and for all, so that another attempt does no harm.
    retry_when_lost = True

    region = models.CharField(
        gettext_lazy("country of phone numbers"),
        max_length=2,
        choices=region_choices,
        blank=True,
        help_text=gettext_lazy(
            "For numbers without an international prefix, where the contact has no country. "
            "If you choose none, these numbers stay as they are."
        ),
    )
    dry_run = models.BooleanField(
        gettext_lazy("dry run"),
        default=False,
        help_text=gettext_lazy("Say what would be changed; save nothing."),
    )

    class Meta:
        verbose_name = gettext_lazy("normalisation of contacts")
        verbose_name_plural = gettext_lazy("normalisations of contacts")

    def run(self, p: Progress) -> None:
        tally = Tally(**(p.cursor or {}))
        with p.stage("Count"):
            total = tally.done + self._rest(tally).count()
            if tally.done:
                text = _("Going on after %(done)s contacts, which are done")
                p.log(text % {"done": intcomma(tally.done)})
        with p.stage("Normalise"):
            self._show_progress(p, tally, total)
            while self._do_batch(p, tally):
                self._show_progress(p, tally, total)
                p.check_cancelled()
        self._show_result(p, tally)

    def _rest(self, tally: Tally) -> models.QuerySet[Contact]:
        mine = Contact.objects.filter(owner_id=self.owner_id, pk__gt=tally.after)
        return mine.order_by("pk")

    def _do_batch(self, p: Progress, tally: Tally) -> bool:
        """Normalise some more contacts. False: there are none."""
        lines: list[str] = []
        with transaction.atomic():
            if not self.dry_run:
                lock_address_book(self.owner_id)
            contacts = list(self._rest(tally).select_for_update()[:BATCH])
            if not contacts:
                return False
            for contact in contacts:
                lines += self._do_contact(contact, tally)
            tally.done += len(contacts)
            tally.after = contacts[-1].pk
            # Last, because from here to the commit this row is locked; with it, because a cursor
            # that came earlier or later than the work would leave contacts out or take them twice.
            p.checkpoint(asdict(tally))
        for line in lines:
            p.log(line)
        return True

    def _do_contact(self, contact: Contact, tally: Tally) -> list[str]:
        """Bring one contact into form; returns lines for the log."""
        before = str(contact)
        changes = self._without_taken(list(changes_of(contact, self.region)), tally)
        for change in changes:
            setattr(contact, change.field, change.after)
            tally.add(change)
        tally.phones_left += bool(contact.phone) and not contact.phone.startswith("+")
        if not changes:
            return []
        if not self.dry_run:
            contact.save(update_fields=[*{change.field for change in changes}, "updated_at"])
        tally.changed += 1
        if tally.changed > LOGGED:
            return [_("Further changes are not listed.")] if tally.changed == LOGGED + 1 else []
        return [f"{before}: " + "; ".join(map(str, changes))]

    def _without_taken(self, changes: list[Change], tally: Tally) -> list[Change]:
        """The changes without those to an address that another contact of the owner has."""
        addresses = [change.after for change in changes if change.field == "email"]
        mine = Contact.objects.filter(owner_id=self.owner_id)
        if not addresses or not mine.filter(email=addresses[-1]).exists():
            return changes
        tally.emails_taken += 1
        return [change for change in changes if change.field != "email"]

    def _show_progress(self, p: Progress, tally: Tally, total: int) -> None:
        counts = {"done": intcomma(tally.done), "total": intcomma(total)}
        p.status(_("%(done)s of %(total)s contacts") % counts)
        p.percent(100 * tally.done / total if total else 100)

    def _show_result(self, p: Progress, tally: Tally) -> None:
        p.percent(100)
        p.result(
            dry_run=self.dry_run,
            contacts=tally.done,
            changed=tally.changed,
            phones_left=tally.phones_left,
            emails_taken=tally.emails_taken,
            rules=[
                {
                    "key": rule.key,
                    "title": str(rule.title),
                    "does": str(rule.does),
                    "count": tally.counts.get(rule.key, 0),
                    "examples": tally.examples.get(rule.key, []),
                }
                for rule in RULES
            ],
        )
        text = ngettext("%(count)s contact changed", "%(count)s contacts changed", tally.changed)
        if self.dry_run:
            text = ngettext(
                "%(count)s contact would be changed",
                "%(count)s contacts would be changed",
                tally.changed,
            )
        p.status(text % {"count": intcomma(tally.changed)}, "success")


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


class NormaliseContactsForm(forms.ModelForm):
    """What a number without a prefix means, and whether to save anything."""

    class Meta:
        model = NormaliseContacts
        fields = ["region", "dry_run"]


NormaliseContacts.form_class = NormaliseContactsForm
