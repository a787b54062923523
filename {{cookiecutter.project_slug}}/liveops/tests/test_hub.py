"""The hub: one subscription for all members of a group, and each message to whom it concerns."""

import asyncio
import time

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer
from redis.exceptions import ConnectionError as RedisConnectionError

from liveops import hub as module
from liveops.hints import REVOCATIONS
from liveops.hub import Hub, current_hub


class Listener:
    def __init__(self):
        self.heard = []
        self.looks = 0
        self.looked_thrice = asyncio.Event()

    def hear(self, message):
        self.heard.append(message)

    def look_at_the_clock(self, now):
        self.looks += 1
        if self.looks == 3:
            self.looked_thrice.set()


@pytest.fixture
def calls(monkeypatch):
    """What the hub asks of the channel layer, as (name, group)."""
    made = []

    def noted(name):
        original = getattr(InMemoryChannelLayer, name)

        async def call(layer, group, channel):
            made.append((name, group))
            await original(layer, group, channel)

        monkeypatch.setattr(InMemoryChannelLayer, name, call)

    for name in ("group_add", "group_discard"):
        noted(name)
    return made


async def tell(group, **message):
    await get_channel_layer().group_send(group, {"type": "x", "group": group, **message})
    # The hub's own task has to run, and so has what it waits for.
    for _ in range(10):
        await asyncio.sleep(0)


class TestGroups:
    async def test_are_subscribed_once_and_left_with_the_last_member(self, calls):
        hub, first, second = Hub(), Listener(), Listener()
        await hub.join("a", first)
        await hub.join("a", second)
        await hub.leave("a", first)
        assert calls == [("group_add", REVOCATIONS), ("group_add", "a")]
        await hub.leave("a", second)
        assert calls[2:] == [("group_discard", "a")]

    async def test_that_are_joined_at_the_same_time_are_subscribed_once(self, calls):
        hub = Hub()
        await asyncio.gather(*(hub.join("a", Listener()) for _ in range(20)))
        assert calls == [("group_add", REVOCATIONS), ("group_add", "a")]

    async def test_who_leaves_twice_or_never_joined_changes_nothing(self, calls):
        hub, member = Hub(), Listener()
        await hub.leave("a", member)
        await hub.join("a", member)
        await hub.leave("a", member)
        await hub.leave("a", member)
        assert [name for name, _ in calls] == ["group_add", "group_add", "group_discard"]

    async def test_a_message_reaches_the_members_of_its_group_alone(self):
        hub, one, same, other = Hub(), Listener(), Listener(), Listener()
        await hub.join("a", one)
        await hub.join("a", same)
        await hub.join("b", other)
        await tell("a", number=1)
        assert [message["number"] for message in one.heard] == [1]
        assert one.heard == same.heard
        assert other.heard == []
        await hub.leave("a", one)
        await tell("a", number=2)
        assert (len(one.heard), len(same.heard)) == (1, 2)

    async def test_a_connection_that_died_meanwhile_costs_nobody_the_subscription(
        self, monkeypatch
    ):
        hub, member = Hub(), Listener()
        await hub.open()
        group_add, tries = InMemoryChannelLayer.group_add, []

        async def fail_once(layer, group, channel):
            tries.append(group)
            if len(tries) == 1:
                raise RedisConnectionError("connection reset by peer")
            await group_add(layer, group, channel)

        monkeypatch.setattr(InMemoryChannelLayer, "group_add", fail_once)
        await hub.join("a", member)
        await tell("a")
        assert (tries, len(member.heard)) == (["a", "a"], 1)

    async def test_a_group_that_could_not_be_joined_can_be_later(self, monkeypatch):
        async def fail(*args):
            raise RedisConnectionError("connection refused")

        hub, member = Hub(), Listener()
        await hub.open()
        with monkeypatch.context() as away:
            away.setattr(InMemoryChannelLayer, "group_add", fail)
            with pytest.raises(RedisConnectionError):
                await hub.join("a", member)
        await hub.join("a", member)
        await tell("a")
        assert len(member.heard) == 1


class TestRevocations:
    async def test_reach_the_members_of_these_users_alone(self):
        hub, ann, bob = Hub(), Listener(), Listener()
        await hub.open()
        hub.enter("1", ann)
        hub.enter("2", bob)
        await tell(REVOCATIONS, users=["1", "3"])
        assert (len(ann.heard), len(bob.heard)) == (1, 0)
        hub.go("1", ann)
        await tell(REVOCATIONS, users=["1"])
        assert len(ann.heard) == 1

    async def test_end_what_was_known_of_the_user_before(self):
        hub = Hub()
        await hub.open()
        before = time.monotonic()
        assert hub.knows_of_no_end("1", before)
        await tell(REVOCATIONS, users=["1"])
        assert not hub.knows_of_no_end("1", before)
        assert hub.knows_of_no_end("2", before)
        assert hub.knows_of_no_end("1", time.monotonic())

    async def test_nothing_is_known_of_the_time_before_it_listened(self):
        hub = Hub()
        before = time.monotonic()
        assert not hub.knows_of_no_end("1", before)
        await hub.open()
        assert not hub.knows_of_no_end("1", before)

    async def test_nothing_is_known_of_long_ago(self, monkeypatch):
        hub = Hub()
        await hub.open()
        since = time.monotonic()
        monkeypatch.setattr(module, "REMEMBERED", 0.0)
        assert not hub.knows_of_no_end("1", since)


async def test_it_goes_on_when_redis_is_back(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_AFTER_FAILURE", 0.0)
    receive = InMemoryChannelLayer.receive
    failures: list[str] = []

    async def fail_twice(layer, channel):
        if len(failures) < 2:
            failures.append(channel)
            raise RedisConnectionError("connection refused")
        return await receive(layer, channel)

    monkeypatch.setattr(InMemoryChannelLayer, "receive", fail_twice)
    hub, member = Hub(), Listener()
    await hub.join("a", member)
    before = time.monotonic()
    await tell("a")
    assert (len(failures), len(member.heard)) == (2, 1)
    assert not hub.knows_of_no_end("1", before), "what was said meanwhile may not have been heard"


async def test_its_members_look_at_the_clock(monkeypatch):
    monkeypatch.setattr(module, "TICK", 0.01)
    hub, member = Hub(), Listener()
    await hub.open()
    hub.enter("1", member)
    async with asyncio.timeout(5):
        await member.looked_thrice.wait()


async def test_an_event_loop_has_one():
    assert current_hub() is current_hub()
