"""One looks, however many ask."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from liveops import looks
from liveops.looks import Look


def test_all_who_ask_at_once_get_the_answer_of_one_look() -> None:
    calls = []

    def look() -> int:
        time.sleep(0.2)
        calls.append(1)
        return len(calls)

    one = Look(look)
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda _: one.ask().answer(), range(100))) == {1}
    assert len(calls) == 1


def test_a_later_question_is_a_new_look(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(10))
    one = Look(lambda: next(numbers))
    assert one.ask().answer() == one.ask().answer() == 0
    monkeypatch.setattr(looks, "FRESH", 0.0)
    later = Look(lambda: next(numbers))
    assert (later.ask().answer(), later.ask().answer()) == (1, 2)


def test_one_that_hangs_holds_one_thread_and_nobody_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looks, "WITHIN", 0.2)
    goes_on = threading.Event()
    started = []

    def hang() -> str:
        started.append(1)
        goes_on.wait(10)
        return "at last"

    one = Look(hang)
    began = time.monotonic()
    for _ in range(50):
        with pytest.raises(TimeoutError):
            one.ask().answer()
    assert time.monotonic() - began < 5
    assert len(started) == 1
    goes_on.set()
    assert one.ask().found.result(5) == "at last"


def test_what_it_raises_reaches_everybody_who_asked() -> None:
    def fail() -> None:
        raise ValueError("no")

    one = Look(fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            one.ask().answer()
