"""Rate, percent and time left of a loop."""

import pytest

from liveops import tracking
from liveops.tracking import Pace


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(tracking, "time", clock)
    return clock


def test_before_the_first_item(clock):
    report = Pace(10, "rows", "row").report()
    assert report == {
        "label": "rows",
        "unit": "row",
        "done": 0,
        "total": 10,
        "rate": 0.0,
        "eta": None,
    }


def test_a_steady_loop(clock):
    pace = Pace(1_000, "", "row")
    for _ in range(20):
        clock.now += 1
        pace.done += 10
        report = pace.report()
    assert report["rate"] == pytest.approx(10)
    assert report["eta"] == pytest.approx(80)
    assert pace.percent == 20


def test_the_rate_follows_a_change_of_speed(clock):
    pace = Pace(None, "", "row")
    for step in [10] * 20 + [100] * 30:
        clock.now += 1
        pace.done += step
        report = pace.report()
    assert 90 < report["rate"] <= 100


def test_without_total_there_is_neither_percent_nor_time_left(clock):
    pace = Pace(None, "", "row")
    clock.now += 1
    pace.done = 5
    assert pace.percent is None
    assert pace.report()["eta"] is None
    assert pace.report()["rate"] == 5


def test_nothing_to_do_is_done():
    assert Pace(0, "", "row").percent == 100


def test_more_items_than_announced(clock):
    pace = Pace(10, "", "row")
    clock.now += 1
    pace.done = 15
    assert pace.percent == 100
    assert pace.report()["eta"] == 0


def test_reports_are_due_ten_times_a_second(clock):
    pace = Pace(10, "", "row")
    clock.now += 0.09
    assert not pace.due()
    clock.now += 0.02
    assert pace.due()
    pace.report()
    assert not pace.due()
