"""Forms with every type of field: what is said of them, and how their values are read."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.http import QueryDict
from jsonschema import Draft202012Validator

from api.errors import Invalid
from api.fields import inputs_of
from api.inputs import filled_form
from api.openapi import body_of


class Everything(forms.Form):
    text = forms.CharField(max_length=5)
    note = forms.CharField(required=False, initial="none")
    count = forms.IntegerField(min_value=1, max_value=9, initial=3)
    share = forms.FloatField(required=False)
    price = forms.DecimalField(required=False)
    agreed = forms.BooleanField()
    loud = forms.BooleanField(required=False, initial=True)
    level = forms.TypedChoiceField(coerce=int, choices=[(1, "One"), (2, "Two")], initial=2)
    colours = forms.MultipleChoiceField(
        required=False, choices=[("Warm", [("r", "Red"), ("y", "Yellow")]), ("b", "Blue")]
    )
    day = forms.DateField(required=False)
    moment = forms.SplitDateTimeField(required=False)
    key = forms.UUIDField(required=False)
    pause = forms.DurationField(required=False)
    extra = forms.JSONField(required=False)


LEAST = {"text": "abc", "agreed": True}


def read(monkeypatch: pytest.MonkeyPatch, data: Any) -> dict[str, Any]:
    """The cleaned data; raises Invalid."""
    monkeypatch.setattr("api.inputs.form_class_for", lambda _kind: Everything)
    kind = "multipart/form-data" if isinstance(data, QueryDict) else "application/json"
    request: Any = SimpleNamespace(data=data, FILES={}, content_type=kind)
    kind_of_all: Any = None
    return filled_form(kind_of_all, request).cleaned_data


def test_types_choices_and_defaults_are_said() -> None:
    inputs = {each.name: each for each in inputs_of(Everything())}
    assert {name for name, each in inputs.items() if each.required} == {"text", "agreed"}
    assert {name: each.type for name, each in inputs.items()} == {
        "text": "string",
        "note": "string",
        "count": "integer",
        "share": "number",
        "price": "number",
        "agreed": "boolean",
        "loud": "boolean",
        "level": "string",
        "colours": "array",
        "day": "date",
        "moment": "array",
        "key": "uuid",
        "pause": "duration",
        "extra": "json",
    }
    assert inputs["level"].default == "2"
    assert [choice.value for choice in inputs["colours"].choices or []] == ["r", "y", "b"]


def test_what_is_left_out_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = read(monkeypatch, LEAST)
    assert (cleaned["count"], cleaned["loud"], cleaned["level"]) == (3, True, 2)
    assert (cleaned["note"], cleaned["colours"], cleaned["extra"]) == ("none", [], None)


def test_json_values_are_read_by_type(monkeypatch: pytest.MonkeyPatch) -> None:
    key = uuid.uuid4()
    cleaned = read(
        monkeypatch,
        {
            **LEAST,
            "count": 4.0,
            "share": 0.5,
            "loud": False,
            "level": "1",
            "colours": ["r", "b"],
            "day": "2026-01-31",
            "moment": ["2026-01-31", "12:30"],
            "key": str(key),
            "pause": "PT5M",
            "extra": {"a": [1, None]},
        },
    )
    assert (cleaned["count"], cleaned["share"], cleaned["loud"]) == (4, 0.5, False)
    assert (cleaned["level"], cleaned["colours"]) == (1, ["r", "b"])
    assert cleaned["day"] == date(2026, 1, 31)
    assert cleaned["moment"] == datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
    assert (cleaned["key"], cleaned["pause"]) == (key, timedelta(minutes=5))
    assert cleaned["extra"] == {"a": [1, None]}


def test_parts_of_a_form_are_read_by_type(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = QueryDict(
        'text=abc&agreed=on&count=4&loud=false&colours=r&colours=b&extra={"a":1}&share=0.5'
    )
    cleaned = read(monkeypatch, sent)
    assert (cleaned["count"], cleaned["loud"], cleaned["share"]) == (4, False, 0.5)
    assert (cleaned["colours"], cleaned["extra"]) == (["r", "b"], {"a": 1})


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("text", 5, "wrong_type"),
        ("text", "abcdef", "max_length"),
        ("text", " ", "required"),
        ("agreed", False, "required"),
        ("agreed", "yes", "wrong_type"),
        ("count", 10, "max_value"),
        ("count", 1.5, "wrong_type"),
        ("level", 1, "wrong_type"),
        ("level", "3", "invalid_choice"),
        ("colours", "r", "wrong_type"),
        ("colours", [1], "wrong_type"),
        ("colours", ["x"], "invalid_choice"),
        ("day", "soon", "invalid"),
        ("extra", {"a": ["\0"]}, "unstorable"),
        ("extra", {"\0": 1}, "unstorable"),
    ],
)
def test_what_does_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch, field: str, value: Any, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        read(monkeypatch, {**LEAST, field: value})
    [fault] = refusal.value.faults
    assert (fault.field, fault.code) == (field, code)


@pytest.mark.parametrize("text", [r'"\u0000"', r'"\ud800"'])
def test_json_in_a_part_that_no_database_holds_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    sent = QueryDict(mutable=True)
    sent.update({"text": "abc", "agreed": "on", "extra": text})
    with pytest.raises(Invalid) as refusal:
        read(monkeypatch, sent)
    assert refusal.value.faults[0].code == "unstorable"


def test_the_schema_of_a_form_is_one() -> None:
    schema = body_of(inputs_of(Everything()), files=True)
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    assert check.is_valid({**LEAST, "level": "1", "colours": ["r"], "extra": [None]})
    for wrong in ({}, {**LEAST, "level": "3"}, {**LEAST, "count": 0}, {**LEAST, "text": " "}):
        assert not check.is_valid(wrong), json.dumps(wrong)
