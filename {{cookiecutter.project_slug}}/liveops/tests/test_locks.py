"""How long a connection waits for a lock."""

import time

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from liveops.locks import patience, wait_for_locks
from liveops.models import LiveOperation
from liveops.tests.make import locked_database, make_operation

pytestmark = pytest.mark.django_db(transaction=True)


def told():
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA busy_timeout").fetchone()[0]


def test_a_write_gives_up_in_time():
    make_operation()
    with locked_database():
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"), patience(50):
            LiveOperation.objects.update(percent=1)
        assert time.monotonic() - began < 2


def test_telling_the_same_again_costs_no_query():
    wait_for_locks(70)
    with CaptureQueriesContext(connection) as queries:
        wait_for_locks(70)
    assert len(queries) == 0
    wait_for_locks(80)
    assert told() == 80


def test_all_of_it_or_nothing_where_that_is_wanted():
    make_operation(percent=0)
    with pytest.raises(ZeroDivisionError), patience(50, atomic=True):
        raise ZeroDivisionError(LiveOperation.objects.update(percent=1))
    assert LiveOperation.objects.get().percent == 0


def test_every_new_connection_is_told():
    for _ in range(5):
        wait_for_locks(50)
        assert told() == 50
        connection.close()
