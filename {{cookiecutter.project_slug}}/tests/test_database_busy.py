"""A database that is busy or away ends in a readable page, never in the bare error."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client, RequestFactory

from accounts.models import User
from config.errors import database_busy, is_database_busy, server_error


@pytest.fixture
def write_lock(transactional_db: None) -> Iterator[None]:
    """Somebody else writes to the database of the test, for as long as the test runs."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has one write lock for the whole database")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100")
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@pytest.fixture
def ann(transactional_db: None) -> User:
    return User.objects.create_user("ann", password="secret")


@pytest.mark.usefixtures("ann", "write_lock")
def test_signing_in_while_the_database_is_locked_says_so(client: Client) -> None:
    answer = client.post("/accounts/login/", {"username": "ann", "password": "secret"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "busy" in answer.content.decode()
    assert "database is locked" not in answer.content.decode()


@pytest.mark.usefixtures("ann", "write_lock")
def test_reading_goes_on_while_the_database_is_locked(client: Client) -> None:
    assert client.get("/accounts/login/").status_code == 200


def test_a_script_gets_json(rf: RequestFactory) -> None:
    for request in (
        rf.post("/operations/0/token/"),
        rf.get("/", headers={"accept": "application/json"}),
    ):
        answer = database_busy(request)
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/json"
        assert b"busy" in answer.content


def test_a_failure_outside_views_is_met_too(rf: RequestFactory) -> None:
    try:
        raise OperationalError("database is locked")
    except OperationalError:
        assert server_error(rf.get("/")).status_code == 503


def test_any_other_failure_stays_one(rf: RequestFactory) -> None:
    try:
        raise OperationalError("no such table: nothing")
    except OperationalError:
        assert server_error(rf.get("/")).status_code == 500


@pytest.mark.parametrize(
    ("vendor", "error", "is_busy"),
    [
        ("sqlite", OperationalError("database is locked"), True),
        ("sqlite", OperationalError("database table is locked"), True),
        ("sqlite", OperationalError("no such table: nothing"), False),
        ("postgresql", OperationalError("connection refused"), True),
        ("postgresql", InterfaceError("connection already closed"), True),
        ("postgresql", ProgrammingError("relation does not exist"), False),
        ("sqlite", ValueError("locked"), False),
        ("sqlite", None, False),
    ],
)
def test_which_errors_may_go_away(
    monkeypatch: pytest.MonkeyPatch, vendor: str, error: Exception | None, is_busy: bool
) -> None:
    monkeypatch.setattr("config.errors.connection.vendor", vendor)
    assert is_database_busy(error) is is_busy
