"""When a session ends, and how many questions it takes to know."""

from importlib import import_module

import pytest
from django.contrib.sessions.models import Session

from liveops.admission import end_of
from liveops.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def saved():
    session = SessionStore()
    session.create()
    return Session.objects.get(pk=session.session_key)


def test_a_session_that_was_read_knows_its_end(saved, django_assert_num_queries):
    session = SessionStore(saved.session_key)
    assert session.ends_at is None
    with django_assert_num_queries(1):
        session.load()
        assert end_of(session) == session.ends_at == saved.expire_date


def test_a_session_that_is_over_has_no_end(saved):
    Session.objects.all().delete()
    session = SessionStore(saved.session_key)
    session.load()
    assert session.ends_at is None


@pytest.mark.parametrize("engine", ["db", "cached_db"])
def test_other_sessions_in_the_database_are_asked_about(saved, engine, django_assert_num_queries):
    store = import_module(f"django.contrib.sessions.backends.{engine}").SessionStore
    session = store(saved.session_key)
    session.load()
    with django_assert_num_queries(1):
        assert end_of(session) == saved.expire_date


def test_nobody_knows_when_a_session_in_a_cache_ends(django_assert_num_queries):
    store = import_module("django.contrib.sessions.backends.cache").SessionStore
    with django_assert_num_queries(0):
        assert end_of(store("key")) is None
