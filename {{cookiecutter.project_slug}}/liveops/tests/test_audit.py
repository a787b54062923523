"""The audit log: one line per deed, which nothing in a value can break or forge."""

import logging

import pytest

from liveops.audit import note
from liveops.models import LiveOperation
from liveops.tests.make import make_user
from liveops.tests.test_starting import begin


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="liveops.audit")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "liveops.audit"]


def test_a_line_names_the_deed_and_what_is_known(lines):
    operation = LiveOperation(attempt=2)
    note("cancel requested", user=7, operation=operation, address="::1")
    assert lines() == [f"cancel requested operation={operation.pk} attempt=2 user=7 address=::1"]


@pytest.mark.parametrize(
    "value", ["a b", "x\nINFO liveops.audit: user=1", "a=b", '"', "\x1b[31m", "\u202e", "é", ""]
)
def test_whatever_could_be_mistaken_is_quoted(lines, value):
    note("websocket refused", origin=value)
    (line,) = lines()
    assert line.startswith('websocket refused origin="')
    assert line.isascii()
    assert line.isprintable()


def test_a_value_is_cut(lines):
    note("websocket refused", origin="x" * 10_000)
    assert len(lines()[0]) < 250


def test_a_record_has_the_facts_for_other_formats(caplog):
    caplog.set_level(logging.INFO, logger="liveops.audit")
    note("websocket refused", level=logging.WARNING, code=4401)
    (record,) = caplog.records
    assert (record.event, record.facts, record.levelname) == (
        "websocket refused",
        {"code": "4401"},
        "WARNING",
    )


@pytest.mark.django_db
def test_a_start_is_noted_with_its_kind_and_nothing_of_its_input(lines, sent):
    ann = make_user()
    operation = begin(ann)
    assert lines() == [
        f"operation started operation={operation.pk} attempt=1 user={ann.pk} kind=kinds.greeting"
    ]
