"""Which workers are heard of."""

import time
from collections.abc import Iterator

import pytest

from liveops import roster
from liveops.roster import Presence, heard
from liveops.shared_cache import shared_cache


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    shared_cache().clear()
    yield
    shared_cache().clear()


def test_several_are_listed_by_name() -> None:
    Presence().renew("celery@one")
    Presence().renew("celery@two")
    assert set(heard()) == {"celery@one", "celery@two"}
    assert all(time.time() - at < 5 for at in heard().values())


def test_one_that_ends_is_forgotten() -> None:
    one, two = Presence(), Presence()
    one.renew("celery@one")
    two.renew("celery@two")
    one.end("celery@one")
    assert set(heard()) == {"celery@two"}


def test_one_that_is_leaving_says_good_bye_with_its_next_word() -> None:
    one = Presence()
    one.renew("celery@one")
    one.leave()
    assert set(heard()) == {"celery@one"}
    one.renew("celery@one")
    one.renew("celery@one")
    assert heard() == {}


def test_it_does_not_say_so_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Presence()
    one.renew("celery@one")
    at = heard()["celery@one"]
    one.renew("celery@one")
    assert heard()["celery@one"] == at
    monkeypatch.setattr(roster, "SAYS_SO_EVERY", 0.0)
    again = Presence()
    again.renew("celery@one")
    again.renew("celery@one")
    assert heard()["celery@one"] > at


def test_a_list_that_got_lost_comes_back_with_the_next_word() -> None:
    Presence().renew("celery@one")
    shared_cache().delete(roster.NAMES)
    assert heard() == {}
    Presence().renew("celery@one")
    assert set(heard()) == {"celery@one"}


def test_names_that_nobody_says_any_more_are_dropped_from_the_list() -> None:
    shared_cache().set(roster.NAMES, ["celery@long-ago"], None)
    Presence().renew("celery@one")
    assert shared_cache().get(roster.NAMES) == ["celery@one"]
