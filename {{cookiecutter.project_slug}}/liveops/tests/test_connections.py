"""How many sockets one user, and one address, may have open."""

import asyncio

import pytest

from liveops.connections import TURNS_OF_ONE, Places, turn_of, waiting, watching
from liveops.tests.make import make_operation, make_user
from liveops.tests.socket_client import Page, SignedIn, in_database


def test_places_are_counted_for_each_and_forgotten_when_left():
    places = Places()
    first, second, bob = places.take("ann", 2), places.take("ann", 2), places.take("bob", 2)
    assert first
    assert second
    assert bob
    assert places.take("ann", 2) is None
    for _ in range(2):
        first.leave()
    assert len(places) == 2
    again = places.take("ann", 2)
    assert again
    assert places.take("ann", 2) is None
    for place in (second, again, bob):
        place.leave()
    assert not places._taken


@pytest.fixture
def operation(ann):
    return make_operation(ann.user)


@pytest.fixture(autouse=True)
def nothing_is_left_over():
    yield
    assert not len(waiting)
    assert not len(watching)


async def test_more_sockets_of_one_user_are_refused_and_others_are_not(ann, operation, settings):
    settings.LIVEOPS = {"MAX_CONNECTIONS_PER_USER": 2}
    bob = await in_database(lambda: SignedIn(make_user("bob")))()
    his = await in_database(make_operation)(bob.user)
    async with Page(ann) as first, Page(ann) as second, Page(ann) as third, Page(bob) as other:
        await first.subscribe(ann.token(operation))
        await second.subscribe(ann.token(operation))
        await third.say(type="subscribe", token=ann.token(operation), after=None)
        assert await third.close_code() == 4429
        await other.subscribe(bob.token(his))
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))


async def test_more_sockets_of_one_address_are_refused_until_some_have_subscribed(
    ann, operation, settings
):
    settings.LIVEOPS = {"MAX_CONNECTIONS_PER_ADDRESS": 2}
    async with Page(ann) as first, Page(None), Page(None) as third:
        assert await third.close_code() == 4429
        await first.subscribe(ann.token(operation))
        async with Page(ann) as fourth:
            await fourth.subscribe(ann.token(operation))


async def test_a_socket_that_is_refused_leaves_its_place(ann, settings):
    settings.LIVEOPS = {"MAX_CONNECTIONS_PER_ADDRESS": 1}
    for _ in range(3):
        async with Page(ann) as page:
            await page.say(type="subscribe", token="nonsense")
            assert await page.close_code() == 4401


async def test_who_opens_many_sockets_keeps_nobody_else_waiting(ann, operation):
    """While all turns of one visitor are taken, another one comes through."""
    bob = await in_database(lambda: SignedIn(make_user("bob")))()
    his = await in_database(make_operation)(bob.user)
    turn = turn_of(ann.key)
    for _ in range(TURNS_OF_ONE):
        await turn.acquire()
    hers = Page(ann)
    opening = asyncio.create_task(hers.socket.connect(timeout=10))
    async with Page(bob) as page:
        await page.subscribe(bob.token(his))
    assert not opening.done()
    turn.release()
    assert (await opening)[0]
    await hers.subscribe(ann.token(operation))
    await hers.socket.disconnect()
    turn.release()


async def test_every_turn_is_given_back(ann, operation):
    turn = turn_of(ann.key)
    for token in [ann.token(operation), "nonsense", ann.token(operation)]:
        async with Page(ann) as page:
            await page.say(type="subscribe", token=token)
            await page.socket.receive_output(timeout=10)
    await Page(ann, origin=b"https://evil.example").socket.connect()
    for _ in range(TURNS_OF_ONE):
        await asyncio.wait_for(turn.acquire(), 1)
