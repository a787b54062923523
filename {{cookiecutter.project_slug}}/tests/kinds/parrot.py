"""A kind that repeats hostile texts in everything that a run can report."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.db import models
from django.utils.functional import lazy

from liveops.models import LiveOperation
from tests.security.texts import MARKUP, MEGABYTE, TEXTS

EVERY = [*TEXTS, MEGABYTE]
LEVELS = ("debug", "info", "success", "warning", "error")
# Of these texts a region cannot hold one.
LONGEST_IN_REGION = 10_000
FIELDS_AT_ONCE = 60
# Where a test leaves the title that `Titled` then has, below VAR_DIR of the stack.
TITLE_FILE = "title-of-titled.txt"


class Parrot(LiveOperation):
    """Says one text at a time, everywhere, and waits until `turn` is past it."""

    mode = models.CharField(max_length=20, default="say")
    first = models.PositiveIntegerField(default=0)
    last = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True, default="")
    file = models.FileField(upload_to="parrots", blank=True)
    turn = models.PositiveIntegerField(default=0, editable=False)

    downloads = ("file",)

    def run(self, p: Any) -> None:
        match self.mode:
            case "say":
                for number in range(self.first, self.last):
                    self.say(p, number, EVERY[number].text)
                p.result({each.text: each.text for each in EVERY[self.first : self.last]})
            case "fail":
                p.error(self.note)
            case "markup":
                for number in range(self.first, self.last):
                    p.html("#raw", MARKUP[number])
                    p.swap("#said", html_raw=f'<p data-turn="{number}"></p>')
                    self.wait(number)

    def say(self, p: Any, number: int, text: str) -> None:
        with p.stage(text):
            p.status(text)
            next(p.track([1, 2], total=1, label=text, unit=text))
            for level in LEVELS:
                p.log(text, level)
            said = text if len(text) < LONGEST_IN_REGION else ""
            p.swap("#said", name="said", number=number, text=said)
            self.wait(number)

    def wait(self, number: int) -> None:
        until = time.monotonic() + 60
        while Parrot.objects.values_list("turn", flat=True).get(pk=self.pk) <= number:
            if time.monotonic() > until:
                raise TimeoutError(f"nobody has looked at text {number}")
            time.sleep(0.005)


class ParrotForm(forms.ModelForm):
    """Takes many texts, choices and files at once, and never finds them right without `consent`."""

    consent = forms.BooleanField(required=False)

    class Meta:
        model = Parrot
        fields = ["mode", "first", "last", "note", "file"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.data.get("many"):
            return
        kinds: dict[str, Callable[..., forms.Field]] = {
            "text": partial(forms.CharField, widget=forms.Textarea),
            "choice": partial(forms.ChoiceField, choices=[("a", "A")], widget=forms.TextInput),
            "upload": forms.FileField,
        }
        for number in range(FIELDS_AT_ONCE):
            for kind, field in kinds.items():
                self.fields[f"{kind}{number}"] = field(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.data.get("many") and not cleaned.get("consent"):
            self.add_error("consent", "Say yes.")
        return cleaned


Parrot.form_class = ParrotForm


def stored_title() -> str:
    file = Path(settings.VAR_DIR) / TITLE_FILE
    return file.read_bytes().decode() if file.exists() else "Titled"


class Titled(LiveOperation):
    title = description = lazy(stored_title, str)()

    class Meta:
        proxy = True

    def run(self, p: Any) -> None:
        p.status("done")
