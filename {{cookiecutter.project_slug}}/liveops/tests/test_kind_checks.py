"""Each mistake in a kind is named before the site starts."""

import pytest
from django.db import models

from liveops.checks.kind_attributes import check_fields, check_kinds, check_values
from tests.kinds.models import Greeting, Patient


def ids(messages):
    return {message.id for message in messages}


def test_the_kinds_of_the_site_are_right():
    assert list(check_kinds()) == []


@pytest.mark.parametrize("name", ["title", "description", "icon", "stages"])
def test_e030_a_field_named_like_an_attribute(monkeypatch, name):
    field = models.TextField()
    field.set_attributes_from_name(name)
    fields = [*Patient._meta.local_fields, field]
    monkeypatch.setattr(Patient._meta, "local_fields", fields)
    assert ids(check_fields(Patient)) == {"liveops.E030"}


@pytest.mark.parametrize("value", [-1, "2", None, 1.5])
def test_e031_a_limit_that_is_no_number(monkeypatch, value):
    monkeypatch.setattr(Greeting, "max_running", value)
    assert ids(check_values(Greeting)) == {"liveops.E031"}


@pytest.mark.parametrize(
    "value", [None, 7, "a,b", "a b", "Imports", "-x", "unacked", "_kombu.x", "ä", "x" * 101]
)
def test_e033_a_queue_that_no_worker_can_be_told(monkeypatch, value):
    monkeypatch.setattr(Greeting, "queue", value)
    assert ids(check_values(Greeting)) == {"liveops.E033"}


@pytest.mark.parametrize("value", ["", "imports", "celery", "imports.large-2_b"])
def test_a_queue_that_a_worker_can_be_told(monkeypatch, value):
    monkeypatch.setattr(Greeting, "queue", value)
    assert not list(check_values(Greeting))


def test_e032_a_download_that_is_no_file(monkeypatch):
    monkeypatch.setattr(Patient, "downloads", ("may_end",))
    assert ids(check_values(Patient)) == {"liveops.E032"}
