"""What a start form asks for, said to programs."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Choices
from django.utils.functional import Promise

# Of the classes that a form field has, the first that is named here.
TYPES: dict[type[forms.Field], str] = {
    forms.FileField: "file",
    forms.JSONField: "json",
    forms.ModelMultipleChoiceField: "array",
    forms.MultipleChoiceField: "array",
    forms.MultiValueField: "array",
    forms.BooleanField: "boolean",
    forms.FloatField: "number",
    forms.DecimalField: "number",
    forms.IntegerField: "integer",
    forms.DateTimeField: "date-time",
    forms.DateField: "date",
    forms.TimeField: "time",
    forms.DurationField: "duration",
    forms.UUIDField: "uuid",
    forms.EmailField: "email",
    forms.URLField: "uri",
}
LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of the values that a field takes."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Input:
    """One field of a start form."""

    name: str
    label: str
    help: str
    type: str
    # Without it the operation cannot start; what has a default is never required.
    required: bool
    # Whether it may be left empty.
    blank: bool
    default: Any
    choices: list[Choice] | None
    minimum: float | None
    maximum: float | None
    max_length: int | None


def inputs_of(form: forms.BaseForm) -> list[Input]:
    """The fields of a form, in order."""
    return [describe(form, name, field) for name, field in form.fields.items()]


def describe(form: forms.BaseForm, name: str, field: forms.Field) -> Input:
    kind = type_of(field)
    choices = choices_of(field)
    default = plain(form.get_initial_for_field(field, name))
    if choices is not None and default is not None and kind != "array":
        default = as_text(default)
    if kind == "array" and not isinstance(default, list):
        default = None
    low, high = limits_of(form, name, field)
    return Input(
        name=name,
        label=str(field.label or name),
        help=str(field.help_text),
        type=kind,
        required=field.required and (default in (None, "") or kind == "boolean"),
        blank=not field.required,
        default=default,
        choices=choices,
        minimum=low,
        maximum=high,
        max_length=getattr(field, "max_length", None),
    )


def type_of(field: forms.Field) -> str:
    return next((TYPES[base] for base in type(field).__mro__ if base in TYPES), "string")


def choices_of(field: forms.Field) -> list[Choice] | None:
    """The values of a fixed list; None where anything goes, or where the database has them."""
    if not isinstance(field, forms.ChoiceField) or isinstance(field, forms.ModelChoiceField):
        return None
    found: list[Choice] = []
    choices: Any = field.choices
    for value, label in choices:
        group = label if isinstance(label, list | tuple) else [(value, label)]
        found += [Choice(value=as_text(key), label=str(text)) for key, text in group]
    return found


def limits_of(
    form: forms.BaseForm, name: str, field: forms.Field
) -> tuple[float | None, float | None]:
    """The least and the greatest number, by the form or by the column, whatever is narrower."""
    low, high = [getattr(field, "min_value", None)], [getattr(field, "max_value", None)]
    if type_of(field) == "integer":
        low.append(-LARGEST_INTEGER - 1)
        high.append(LARGEST_INTEGER)
    model = form._meta.model if isinstance(form, forms.ModelForm) else None
    columns = {column.name: column for column in model._meta.get_fields()} if model else {}
    for validator in getattr(columns.get(name), "validators", []):
        limit = getattr(validator, "limit_value", None)
        if isinstance(validator, MinValueValidator):
            low.append(limit)
        elif isinstance(validator, MaxValueValidator):
            high.append(limit)
    lows = [value for value in low if isinstance(value, int | float)]
    highs = [value for value in high if isinstance(value, int | float)]
    return max(lows, default=None), min(highs, default=None)


def plain(value: Any) -> Any:
    """A default as JSON has it."""
    match value:
        case Choices():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case Promise():
            return str(value)
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
    return str(value)


def as_text(value: Any) -> str:
    """The value of a choice: always text, as a page sends it."""
    return "" if value is None else str(plain(value))
