"""Old operations go, with everything that belongs to them, and nothing else does."""

import tracemalloc
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from liveops import retention
from liveops.models import LiveOperation, LogChunk, OperationEvent, State
from liveops.retention import expired, survey
from liveops.tasks import purge as purge_task
from liveops.tests.make import add_lines, at_once, locked_database, make_operation, make_user
from tests.kinds.models import Chatter

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
OLD, YOUNG = NOW - timedelta(days=91), NOW - timedelta(days=89)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(retention, "LONGEST_PAUSE", 0)


def purge(days=90, batch=retention.BATCH):
    tally = retention.Tally()
    for part in retention.purge(expired(days), batch):
        tally.add(part)
    return tally


def make_old(count, owner, *, log=True):
    """Greetings that ended long ago, each with an event and, if wanted, two log lines."""
    rows = [
        LiveOperation(
            owner=owner, kind="kinds.greeting", state=State.SUCCEEDED, finished_at=OLD, log_lines=2
        )
        for _ in range(count)
    ]
    LiveOperation.objects.bulk_create(rows, batch_size=500)
    OperationEvent.objects.bulk_create(
        [OperationEvent(operation=row, attempt=1, to_state=row.state) for row in rows], 500
    )
    if log:
        LogChunk.objects.bulk_create(
            [
                LogChunk(operation=row, attempt=1, seq=1, first_line=1, line_count=2, body="[]")
                for row in rows
            ],
            500,
        )
    return rows


def left():
    return set(LiveOperation.objects.values_list("pk", flat=True))


def test_only_what_ended_long_ago_is_deleted():
    ann = make_user()
    kept = [
        make_operation(ann, state=State.SUCCEEDED, finished_at=YOUNG),
        make_operation(ann, state=State.RUNNING, heartbeat_at=OLD, started_at=OLD),
        make_operation(ann, queued_at=OLD, created_at=OLD),
        # It ran, failed, was retried, and waits again.
        make_operation(ann, state=State.QUEUED, finished_at=OLD),
        make_operation(ann, state=State.RUNNING, finished_at=OLD),
    ]
    for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST):
        make_operation(ann, kind=Chatter, state=state, finished_at=OLD)
    assert purge().operations == {"kinds.chatter": 4}
    assert left() == {operation.pk for operation in kept}
    assert not Chatter.objects.exists()


def test_five_thousand_go_in_short_transactions_with_few_queries_each():
    rows = make_old(5_000, make_user())
    with CaptureQueriesContext(connection) as queries:
        tally = purge(batch=500)
    assert tally.operations == {"kinds.greeting": len(rows)}
    assert tally.log_lines == 2 * len(rows)
    assert not LiveOperation.objects.exists()
    assert not LogChunk.objects.exists()
    assert not OperationEvent.objects.exists()
    begun = [query for query in queries if query["sql"].startswith("BEGIN")]
    assert len(begun) == 20  # each batch of 500 chunks twice: then it is known that none is left
    assert len(queries) / 10 <= 60
    print(f"{len(queries) / 10:.0f} queries for each 500 operations", end=" ")


def test_memory_does_not_grow_with_the_number_of_operations():
    ann = make_user()

    def most_memory(count):
        make_old(count, ann)
        tracemalloc.start()
        purge(batch=100)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most_memory(100)
    # 2,700 operations in memory would be several MiB.
    assert most_memory(3_000) < most_memory(300) + 500_000


def test_a_long_log_is_deleted_in_parts(monkeypatch):
    monkeypatch.setattr(retention, "CHUNKS", 3)
    operation = make_operation(state=State.FAILED)
    for number in range(10):
        add_lines(operation, f"line {number}")
    LiveOperation.objects.update(finished_at=OLD)
    parts = list(retention.purge(expired(90)))
    assert [part.log_lines for part in parts] == [3, 3, 3, 1]
    assert [part.operations.total() for part in parts] == [0, 0, 0, 1]


def test_a_purge_that_was_interrupted_goes_on_next_time(monkeypatch):
    monkeypatch.setattr(retention, "CHUNKS", 10)
    make_old(50, make_user())
    parts = retention.purge(expired(90), 20)
    for _ in range(3):
        next(parts)
    parts.close()
    assert 0 < LiveOperation.objects.count() < 50
    purge(batch=20)
    assert not LiveOperation.objects.exists()
    assert not LogChunk.objects.exists()


def test_two_purges_at_once_delete_each_operation_once():
    make_old(60, make_user())
    assert sum(tally.operations.total() for tally in at_once(2, lambda: purge(batch=10))) == 60
    assert not LiveOperation.objects.exists()


def test_what_is_retried_meanwhile_is_kept():
    operation = make_operation(state=State.FAILED, finished_at=OLD)
    others = make_old(10, operation.owner)
    old = expired(90)
    keys = [operation.pk, *[other.pk for other in others]]
    assert operation.restart()
    list(retention._purge_some(old, "kinds.greeting", keys))
    assert left() == {operation.pk}


def test_what_a_row_of_the_site_protects_is_kept_with_its_log(monkeypatch):
    link = LiveOperation._meta.get_field("next_operation").remote_field
    monkeypatch.setattr(link, "on_delete", models.PROTECT)
    protected = make_operation(state=State.FAILED)
    add_lines(protected, "kept")
    LiveOperation.objects.update(finished_at=OLD)
    make_operation(protected.owner, next_operation=protected)
    make_old(20, protected.owner)
    tally = purge()
    assert (tally.operations.total(), tally.kept) == (20, 1)
    assert LogChunk.objects.filter(operation=protected).count() == 1


def test_a_kind_that_the_site_has_no_more_goes_too():
    operation = make_operation(state=State.SUCCEEDED, finished_at=OLD)
    LiveOperation.objects.update(kind="gone.kind")
    assert operation.pk in left()
    assert purge().operations == {"gone.kind": 1}
    assert not left()


def test_counting_changes_nothing_and_says_what_a_purge_would_delete():
    make_old(7, make_user())
    before = left()
    with CaptureQueriesContext(connection) as queries:
        counted = survey(expired(90))
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert left() == before
    assert counted == purge()


class TestTask:
    def test_purges_by_the_setting(self):
        make_old(3, make_user())
        with override_settings(LIVEOPS={"RETENTION_DAYS": 92}):
            purge_task()
        assert len(left()) == 3
        purge_task()
        assert not left()

    def test_zero_keeps_for_ever(self):
        make_operation(state=State.SUCCEEDED, finished_at=NOW - timedelta(days=20_000))
        with override_settings(LIVEOPS={"RETENTION_DAYS": 0}):
            purge_task()
        assert len(left()) == 1

    def test_a_database_that_is_locked_is_left_to_the_next_purge(self, caplog):
        make_old(3, make_user())
        connection.cursor().execute("PRAGMA busy_timeout = 50")
        with locked_database():
            purge_task()
        connection.close()
        assert "left to the next purge" in caplog.text
        assert len(left()) == 3

    def test_runs_once_an_hour(self, settings):
        entries = settings.CELERY_BEAT_SCHEDULE.values()
        assert [each["schedule"] for each in entries if each["task"] == purge_task.name] == [3600]


class TestCommand:
    def run(self, capsys, *arguments):
        call_command("purge_operations", *arguments)
        return capsys.readouterr().out

    def test_says_what_it_would_delete_and_then_what_it_deleted(self, capsys):
        make_old(1_234, make_user())
        assert "Would delete 1,234 operations" in self.run(capsys, "--dry-run")
        assert len(left()) == 1_234
        said = self.run(capsys, "--batch", "1000")
        assert "1,234  Greeting (kinds.greeting)" in said
        assert "Deleted 1,234 operations that ended more than 90 days ago" in said
        assert "2,468 log lines, 0 files" in said
        assert not left()
        assert "Deleted 0 operations" in self.run(capsys)

    def test_another_age(self, capsys):
        make_operation(state=State.SUCCEEDED, finished_at=YOUNG)
        assert "Deleted 0 operations" in self.run(capsys)
        assert "Deleted 1 operations" in self.run(capsys, "--older-than", "88")

    def test_says_how_to_delete_when_the_setting_keeps_all(self, capsys):
        make_old(1, make_user())
        with override_settings(LIVEOPS={"RETENTION_DAYS": 0}):
            assert "Nothing is deleted" in self.run(capsys)
            assert len(left()) == 1
            assert "Deleted 1 operations" in self.run(capsys, "--older-than", "90")

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--older-than", "0"),
            ("--older-than", "-3"),
            ("--older-than", "36501"),
            ("--older-than", "a week"),
            ("--batch", "0"),
            ("--batch", "5001"),
            ("--batch", "1.5"),
        ],
    )
    def test_a_value_that_cannot_be_meant_is_quoted(self, option, value):
        with pytest.raises(CommandError, match=f"argument {option}: '{value}' is not a number of"):
            call_command("purge_operations", f"{option}={value}")
