"""Bytes in flight to one browser."""

import pytest

from liveops.flow import Window
from liveops.record import Position


@pytest.fixture
def window():
    window = Window(100)
    for seq in (1, 2, 3):
        window.sent(Position(1, seq), 40)
    return window


def test_full_beyond_the_limit(window):
    assert window.is_full
    at_the_limit = Window(100)
    at_the_limit.sent(Position(1, 1), 100)
    assert not at_the_limit.is_full


@pytest.mark.parametrize(
    ("position", "is_full"),
    [((1, 0), True), ((1, 1), False), ((1, 3), False), ((2, 0), False), ((0, 9), True)],
)
def test_an_ack_covers_everything_up_to_its_position(window, position, is_full):
    window.acknowledged(Position(*position))
    assert window.is_full is is_full


def test_an_ack_that_comes_twice_counts_once(window):
    for _ in range(3):
        window.acknowledged(Position(1, 1))
    window.sent(Position(1, 4), 40)
    assert window.is_full
