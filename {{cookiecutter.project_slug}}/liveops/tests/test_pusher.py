"""Frames on their way to the channel layer: sent, or dropped without a word to the run."""

import asyncio
import time
from contextlib import closing

import pytest

from liveops import pusher
from liveops.pusher import FramePusher


@pytest.fixture
def frames(layer):
    with closing(FramePusher("liveop.x")) as frames:
        yield frames


def test_sends_to_its_group(frames, layer):
    assert frames.push({"type": "liveop.frame"})
    assert (layer.groups, layer.messages) == (
        {"liveop.x"},
        [{"type": "liveop.frame", "group": "liveop.x"}],
    )


def test_after_a_failure_it_lets_the_layer_rest(frames, layer, monkeypatch):
    monkeypatch.setattr(pusher, "PAUSE_AFTER_FAILURE", 0.05)
    layer.failure = OSError("down")
    assert not frames.push({"seq": 1})
    layer.failure = None
    assert not frames.push({"seq": 2})
    time.sleep(0.06)
    assert frames.push({"seq": 3})
    assert layer.messages == [{"seq": 3, "group": "liveop.x"}]


def test_a_layer_that_does_not_answer_costs_a_bounded_time(frames, layer, monkeypatch):
    async def hang(group, message):
        await asyncio.sleep(60)

    monkeypatch.setattr(pusher, "SEND_WITHIN", 0.05)
    monkeypatch.setattr(layer, "group_send", hang)
    began = time.monotonic()
    assert not frames.push({"seq": 1})
    assert time.monotonic() - began < 5


def test_one_loop_sends_all(frames, layer, monkeypatch):
    loops = set()

    async def look(group, message):
        loops.add(asyncio.get_running_loop())

    monkeypatch.setattr(layer, "group_send", look)
    assert frames.push({})
    assert frames.push({})
    assert len(loops) == 1
