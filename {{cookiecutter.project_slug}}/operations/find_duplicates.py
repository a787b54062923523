"""Find duplicates: which contacts of an address book may be the same person."""

import time
from operator import itemgetter
from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from liveops.models import LiveOperation
from liveops.progress import Progress
from operations.contacts import Contact
from operations.matching import ORDERS, Match, Person, group, likeness, neighbours, person

# The page shows the newest candidates, and not more often than eyes can follow.
SHOWN = 20
SHOW_EVERY = 0.5
# Groups beyond this are counted, not listed.
LISTED = 100
# With so many, the threshold is too low to be of use; the search stops there.
MAX_MATCHES = 20_000


class FindDuplicates(LiveOperation):
    """Compares names, addresses and phone numbers of the owner's contacts; changes nothing."""

    title = gettext_lazy("Find duplicates")
    description = gettext_lazy(
        "Compares the names, e-mail addresses and phone numbers in your address book and lists "
        "contacts that may be the same person, in spite of accents, typing errors and formats."
    )
    icon = "👥"
    stages = ["Load", "Compare", "Group"]

    threshold = models.PositiveSmallIntegerField(
        gettext_lazy("likeness"),
        default=88,
        validators=[MinValueValidator(70), MaxValueValidator(100)],
        help_text=gettext_lazy(
            "How alike two contacts must be to be listed, in percent: 70 finds more, 100 only "
            "what is equal but for accents, case and order."
        ),
    )

    class Meta:
        verbose_name = gettext_lazy("search for duplicates")
        verbose_name_plural = gettext_lazy("searches for duplicates")

    def run(self, p: Progress) -> None:
        with p.stage("Load"):
            people = self._load(p)
        with p.stage("Compare"):
            matches = self._compare(p, people)
        with p.stage("Group"):
            groups = group(matches)
            best: dict[int, int] = {}
            for match in matches:
                for pk in (match.left, match.right):
                    best[pk] = max(best.get(pk, 0), match.score)
            scored = [(max(best[pk] for pk in pks), pks) for pks in groups]
            scored.sort(key=itemgetter(0), reverse=True)
            listed = [
                {"score": score, "contacts": self._describe(pks)} for score, pks in scored[:LISTED]
            ]
        p.result(
            contacts=len(people),
            candidates=len(matches),
            threshold=self.threshold,
            group_count=len(groups),
            groups=listed,
            unlisted=len(groups) - len(listed),
            stopped=len(matches) >= MAX_MATCHES,
        )
        text = ngettext("%(count)s group found", "%(count)s groups found", len(groups))
        p.status(text % {"count": intcomma(len(groups))}, "success")

    def _mine(self) -> models.QuerySet[Contact]:
        return Contact.objects.filter(owner_id=self.owner_id)

    def _load(self, p: Progress) -> list[Person]:
        p.status(_("Loading your contacts"))
        rows = self._mine().values_list("pk", "name", "email", "phone")
        tracked = p.track(rows.iterator(), total=rows.count(), unit=_("contact"))
        return [person(*row) for row in tracked]

    def _compare(self, p: Progress, people: list[Person]) -> list[Match]:
        p.status(_("Comparing %(count)s contacts") % {"count": intcomma(len(people))})
        found: dict[tuple[int, int], Match] = {}
        shown_at, shown = 0.0, 0
        steps = p.track(neighbours(people), total=len(people) * len(ORDERS), unit=_("comparison"))
        for someone, others in steps:
            for other in others:
                score = likeness(someone, other, self.threshold)
                pair = min(someone.pk, other.pk), max(someone.pk, other.pk)
                if score and pair not in found:
                    found[pair] = Match(*pair, round(score))
            if len(found) > shown and time.monotonic() - shown_at >= SHOW_EVERY:
                shown_at, shown = time.monotonic(), len(found)
                self._show(p, list(found.values()))
            if len(found) >= MAX_MATCHES:
                text = _("More than %(count)s candidates: the search stops. Ask for more likeness.")
                p.log(text % {"count": intcomma(MAX_MATCHES)}, "warning")
                break
        matches = list(found.values())
        self._show(p, matches)
        return matches

    def _show(self, p: Progress, matches: list[Match]) -> None:
        """Show the newest candidates on the page, the newest first."""
        newest = matches[: -SHOWN - 1 : -1]
        contacts = self._mine().in_bulk({pk for match in newest for pk in match[:2]})
        pairs = [
            {"score": match.score, "left": contacts[match.left], "right": contacts[match.right]}
            for match in newest
            if match.left in contacts and match.right in contacts
        ]
        p.swap("#candidates", name="candidates", candidates=pairs, found=len(matches))

    def _describe(self, pks: list[int]) -> list[dict[str, Any]]:
        listed = self._mine().filter(pk__in=pks[:LISTED])
        return [dict(row) for row in listed.values("pk", "name", "email", "phone", "company")]


class FindDuplicatesForm(forms.ModelForm):
    """How alike two contacts must be."""

    class Meta:
        model = FindDuplicates
        fields = ["threshold"]
        widgets = {"threshold": forms.NumberInput(attrs={"min": 70, "max": 100})}


FindDuplicates.form_class = FindDuplicatesForm
