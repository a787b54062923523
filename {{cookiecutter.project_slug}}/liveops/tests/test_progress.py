"""`p`, as `run(self, p)` sees it, through the double that tests of operations use."""

import datetime
import decimal
import uuid

import pytest

from liveops.exceptions import OperationCancelled
from liveops.models import LiveOperation
from liveops.testing import RecordingProgress
from liveops.tests.make import make_operation
from tests.kinds.models import Greeting, Showcase


@pytest.fixture
def p():
    return RecordingProgress(Showcase(owner_id=7))


def test_status(p):
    p.status("reading")
    p.status("slow\x00", level="warning")
    assert p.statuses == ["reading", "slow\ufffd"]


def test_percent_is_cut_to_0_and_100(p):
    for value in (-5, 0, 12.5, 100, 250):
        p.percent(value)
    assert p.percents == [0, 0, 12.5, 100, 100]


def test_log_takes_any_object_and_level(p):
    p.log("line")
    p.log(7, level="debug")
    p.log("a\ud800", level="error")
    assert p.logs == [("info", "line"), ("debug", "7"), ("error", "a\ufffd")]


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (
            lambda p: p.status("x", level="debug"),
            "'debug' is no status level; legal: info, success, warning, error",
        ),
        (
            lambda p: p.log("x", level="fatal"),
            "'fatal' is no log level; legal: debug, error, info, success, warning",
        ),
        (
            lambda p: p.html("#a", "x", mode="outerHTML"),
            "'outerHTML' is no mode of p.html(); legal: innerHTML, beforeend",
        ),
        (
            lambda p: p.html(".a", "x"),
            "'.a' is no region: write \"#id\", as in {% live_region %}",
        ),
        (
            lambda p: p.swap("#a"),
            "p.swap('#a') takes either a template name or html_raw=",
        ),
        (
            lambda p: p.swap("#a", "rows", html_raw="x"),
            "p.swap('#a') takes either a template name or html_raw=",
        ),
        (
            lambda p: p.chain_to("import"),
            "p.chain_to() takes a new, unsaved operation, not 'import'",
        ),
    ],
)
def test_misuse_is_told_with_the_value_and_what_is_legal(p, report, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the whole text is compared)
        report(p)
    assert str(refused.value) == message


def test_track_takes_the_total_from_len(p):
    assert list(p.track(["a", "b"], label="files", unit="file")) == ["a", "b"]
    first, last = p.tracking[0], p.tracking[-1]
    assert (first["done"], first["total"], first["label"], first["unit"]) == (0, 2, "files", "file")
    assert last["done"] == 2
    assert (p.percents[0], p.percents[-1]) == (0, 100)


def test_track_of_an_iterator_has_no_percent(p):
    list(p.track(iter("abc")))
    assert p.tracking[-1]["done"] == 3
    assert p.tracking[-1]["total"] is None
    assert set(p.percents) == {None}


def test_track_of_an_iterator_with_total(p):
    list(p.track(iter("abc"), total=6))
    assert p.percents[-1] == 50


def test_track_does_not_read_ahead(p):
    read = []

    def endless():
        number = 0
        while True:
            read.append(number)
            yield number
            number += 1

    for number in p.track(endless()):
        assert read == list(range(number + 1))
        if number == 3:
            break
    assert read == [0, 1, 2, 3]


def test_track_checks_before_each_item():
    p = RecordingProgress(Showcase(), cancel_after=2)
    with pytest.raises(OperationCancelled):
        list(p.track("abcd"))
    assert [shown and shown["done"] for shown in p.tracking] == [0, 2]


def test_track_shows_where_it_broke_off(p):
    def three_then_fail():
        yield from "abc"
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(p.track(three_then_fail()))
    assert p.tracking[-1]["done"] == 3


def test_stages(p):
    with p.stage("read"):
        assert p.stages == {"read": "active"}
    with p.stage("write"):
        pass
    assert p.stages == {"read": "done", "write": "done"}


@pytest.mark.parametrize(
    ("error", "state"),
    [(OSError("disk"), "failed"), (OperationCancelled(), "cancelled")],
)
def test_a_stage_that_raises(p, error, state):
    with pytest.raises(type(error)), p.stage("read"):
        raise error
    assert p.stages == {"read": state}


def test_result_holds_what_json_can(p):
    day = datetime.date(2026, 11, 22)
    key = uuid.UUID(int=1)
    p.result({"day": day, "price": decimal.Decimal("1.50")}, key=key, rows=[{"a": None}], t=(1,))
    assert p.results == {
        "day": "2026-11-22",
        "price": "1.50",
        "key": str(key),
        "rows": [{"a": None}],
        "t": [1],
    }


@pytest.mark.parametrize("value", [object(), float("nan"), float("inf"), b"bytes", {(1, 2): 3}])
def test_result_refuses_what_json_cannot_hold_and_names_the_key(p, value):
    with pytest.raises(TypeError, match="'bad' is no JSON value: "):
        p.result(good=1, bad=value)
    assert p.results == {}


def test_result_is_cleaned(p):
    p.result({"a\x00": "\ud800"})
    assert p.results == {"a\ufffd": "\ufffd"}


def test_error(p):
    p.error("no luck\x00")
    assert (p.errors, p.failure) == (["no luck\ufffd"], "no luck\ufffd")


def test_html_replaces_and_appends(p):
    p.html("#a", "<p>1</p>")
    p.html("#a", "<p>2</p>", mode="beforeend")
    p.html("#b", "<p>x</p>", mode="beforeend")
    p.html("#a", "<p>3</p>")
    assert p.swaps == [
        ("#a", "<p>1</p>"),
        ("#a", "<p>1</p><p>2</p>"),
        ("#b", "<p>x</p>"),
        ("#a", "<p>3</p>"),
    ]


def test_the_name_of_a_region_is_cleaned(p):
    p.html("#a\x00", "x")
    assert p.swaps == [("#a\ufffd", "x")]


def test_a_region_is_limited_in_bytes(p, settings):
    settings.LIVEOPS = {"MAX_REGION": 8}
    p.html("#a", "éé")
    with pytest.raises(ValueError, match=r"region #a would hold 10 bytes, the limit is 8: .*MAX_"):
        p.html("#a", "ééé", mode="beforeend")
    p.html("#a", "éé", mode="beforeend")
    assert p.swaps[-1] == ("#a", "éééé")


def test_swap_renders_the_template_of_the_kind_escaped(p):
    p.swap("#a", "rows", rows=["<b>", "ok"])
    assert p.swaps == [("#a", "<ul><li>&lt;b&gt;</li><li>ok</li></ul>\n")]


def test_swap_with_raw_html(p):
    p.swap("#a", html_raw="<i>x</i>")
    p.swap("#a", html_raw="")
    assert p.swaps == [("#a", "<i>x</i>"), ("#a", "")]


def test_chained_operations_belong_to_the_same_owner(p):
    p.chain_to(Greeting())
    assert p.chained.owner_id == 7


def test_a_chained_operation_may_have_another_owner(p):
    p.chain_to(Greeting(owner_id=8))
    assert p.chained.owner_id == 8


@pytest.mark.django_db
def test_an_operation_that_was_saved_cannot_be_chained_to(p):
    with pytest.raises(ValueError, match="takes a new, unsaved operation, not <Greeting: "):
        p.chain_to(LiveOperation.objects.get(pk=make_operation().pk).as_kind())


def test_cancel_after_counts_the_checks():
    p = RecordingProgress(Showcase(), cancel_after=1)
    p.check_cancelled()
    with pytest.raises(OperationCancelled):
        p.check_cancelled()
