"""Redis may forget or refuse every hint; nobody who leaves or reads one ever fails."""

import uuid

import pytest
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import ConnectionError as RedisConnectionError

from liveops import hints
from liveops.models import LiveOperation

FAILURES = [RedisConnectionError("down"), TimeoutError("slow"), OSError("gone")]


@pytest.fixture
def key():
    return uuid.uuid4()


@pytest.fixture(params=FAILURES, ids=repr)
def cache_down(request, monkeypatch):
    def fail(*args, **kwargs):
        raise request.param

    monkeypatch.setattr(LocMemCache, "get", fail)
    monkeypatch.setattr(LocMemCache, "set", fail)


def test_a_sign_of_life_is_of_one_attempt(key):
    hints.show_alive(key, 2)
    assert hints.is_alive(key, 2)
    assert not hints.is_alive(key, 1)
    assert not hints.is_alive(uuid.uuid4(), 2)


def test_a_sign_of_life_fades(key, settings):
    settings.LIVEOPS = {"LOST_AFTER": 0}
    hints.show_alive(key, 1)
    assert not hints.is_alive(key, 1)


def test_a_cancel_request_is_of_one_attempt_and_says_whose(key):
    assert hints.leave_cancel_request(key, 2, 7)
    assert hints.read_cancel_request(key, 2) == "7"
    assert hints.read_cancel_request(key, 1) is None


@pytest.mark.usefixtures("cache_down")
def test_with_the_cache_down_nobody_fails(key):
    hints.show_alive(key, 1)
    assert not hints.is_alive(key, 1)
    assert not hints.leave_cancel_request(key, 1, 7)
    assert hints.read_cancel_request(key, 1) is None


def test_watchers_are_told_to_read_the_record(layer):
    operation = LiveOperation()
    hints.announce_change(operation)
    assert layer.messages == [{"type": "liveop.changed", "group": operation.get_channel_name()}]
    assert layer.groups == {operation.get_channel_name()}


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_with_the_layer_down_nobody_fails_either(layer, failure, caplog):
    layer.failure = failure
    hints.announce_change(LiveOperation())
    assert "were not told" in caplog.text
