"""Operations beyond a limit wait for their turn, in the order they came."""

import threading

import pytest
from django.db import connection
from django.test import override_settings

from liveops.limits import claim_in_turn, place_of, release_those_with_room
from liveops.models import LiveOperation, State
from liveops.tests.make import make_operation, make_user
from tests.kinds.models import Greeting, Patient

pytestmark = pytest.mark.django_db(transaction=True)


def claim(operation):
    return claim_in_turn(operation.pk, operation.attempt, "worker")


def end(operation):
    assert LiveOperation.objects.get(pk=operation.pk).finish(State.SUCCEEDED)


@pytest.fixture
def ann():
    return make_user()


@pytest.fixture
def two_at_a_time(monkeypatch):
    monkeypatch.setattr(Greeting, "max_running", 2)


def test_without_a_limit_every_claim_is_granted(ann):
    operations = [make_operation(ann) for _ in range(4)]
    assert all(claim(operation) for operation in operations)


@pytest.mark.usefixtures("two_at_a_time")
def test_what_has_no_room_stays_queued_and_is_held(ann):
    first, second, third = (make_operation(ann) for _ in range(3))
    assert claim(first)
    assert claim(second)
    assert claim(third) is None
    third.refresh_from_db()
    assert (third.state, third.held, place_of(third)) == (State.QUEUED, True, 1)


@pytest.mark.usefixtures("two_at_a_time")
def test_the_one_that_came_first_goes_first_though_its_message_comes_last(ann):
    first, second, third = (make_operation(ann) for _ in range(3))
    assert claim(third) is None
    assert claim(second)
    assert claim(first)


@pytest.mark.usefixtures("two_at_a_time")
def test_an_end_releases_the_next_one_to_one_caller_only(ann):
    operations = [make_operation(ann) for _ in range(4)]
    for operation in operations:
        claim(operation)
    assert release_those_with_room() == []
    end(operations[0])
    assert release_those_with_room() == [operations[2]]
    assert release_those_with_room() == []
    assert claim(operations[2])
    operations[3].refresh_from_db()
    assert place_of(operations[3]) == 1


@pytest.mark.usefixtures("two_at_a_time")
def test_places_are_counted_among_those_that_wait(ann):
    for _ in range(2):
        claim(make_operation(ann))
    waiting = [make_operation(ann) for _ in range(3)]
    for operation in waiting:
        assert claim(operation) is None
        operation.refresh_from_db()
    assert [place_of(operation) for operation in waiting] == [1, 2, 3]


@override_settings(LIVEOPS={"MAX_RUNNING_PER_USER": 1})
def test_a_user_at_the_limit_does_not_hold_up_another(ann):
    bob = make_user("bob")
    mine = [make_operation(ann) for _ in range(2)]
    his = make_operation(bob)
    assert claim(mine[0])
    assert claim(mine[1]) is None
    assert claim(his)


@pytest.mark.usefixtures("two_at_a_time")
def test_a_limit_of_one_kind_is_none_of_another(ann):
    for _ in range(3):
        claim(make_operation(ann))
    assert claim(make_operation(ann, kind=Patient))


@pytest.mark.usefixtures("two_at_a_time")
def test_claims_at_once_stay_within_the_limit(ann):
    operations = [make_operation(ann) for _ in range(6)]

    def try_it(operation):
        try:
            claim(operation)
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=[operation]) for operation in operations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LiveOperation.objects.filter(state=State.RUNNING).count() == 2
    assert LiveOperation.objects.filter(held=True).count() == 4


def test_without_held_operations_an_end_costs_one_query(ann, django_assert_num_queries):
    make_operation(ann)
    with django_assert_num_queries(1):
        assert release_those_with_room() == []
