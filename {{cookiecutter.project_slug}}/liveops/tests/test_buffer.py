"""The buffer between a run and the reporter's thread."""

import threading
import tracemalloc
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from liveops.buffer import LINE_OVERHEAD, ReportBuffer
from liveops.exceptions import LeaseLost, OperationCancelled
from liveops.models.log import LogLine


@contextmanager
def reporting(act):
    """Call `act` in a thread, which must have ended at the end of the block."""
    failures = []

    def in_thread():
        try:
            act()
        except BaseException as failure:  # noqa: BLE001 (given to the test)
            failures.append(failure)

    thread = threading.Thread(target=in_thread, daemon=True)
    thread.start()
    yield thread, failures
    thread.join(timeout=5)
    assert not thread.is_alive()


def full_buffer():
    buffer = ReportBuffer(limit=10, save_cursor=bool)
    buffer.log("info", "more than ten characters")
    return buffer


def texts(batch):
    return [line.text for line in batch.lines]


def test_of_columns_and_regions_the_last_counts_of_lines_all():
    buffer = ReportBuffer(limit=1_000_000, save_cursor=bool)
    buffer.update(percent=1, status_text="a")
    buffer.update(percent=2)
    buffer.show_region("#a", "1")
    buffer.show_region("#a", "2")
    buffer.log("info", "one\x00")
    buffer.log("error", "two")
    batch = buffer.take()
    assert batch.changes == {"percent": 2, "status_text": "a"}
    assert batch.regions == {"#a": "2"}
    assert texts(batch) == ["one\ufffd", "two"]
    assert isinstance(batch.lines[0], LogLine)
    assert len(batch) == 5


def test_what_was_taken_is_gone():
    buffer = ReportBuffer(limit=1_000_000, save_cursor=bool)
    buffer.update(percent=1)
    buffer.log("info", "one")
    assert buffer.take()
    assert not buffer.take()


@pytest.mark.parametrize(
    "report",
    [
        lambda buffer: buffer.update(percent=1),
        lambda buffer: buffer.show_region("#a", "1"),
        lambda buffer: buffer.log("info", "one"),
    ],
)
def test_every_report_wakes_the_thread(report):
    buffer = ReportBuffer(limit=1_000_000, save_cursor=bool)
    assert not buffer.wake.is_set()
    report(buffer)
    assert buffer.wake.is_set()


def test_a_full_buffer_blocks_until_the_record_has_what_was_taken():
    buffer = full_buffer()
    with reporting(lambda: buffer.log("info", "late")) as (thread, failures):
        batch = buffer.take()
        thread.join(timeout=0.2)
        assert thread.is_alive()
        buffer.release(batch.size)
    assert failures == []
    assert texts(buffer.take()) == ["late"]


def test_taken_and_later_bytes_are_counted_apart():
    buffer = ReportBuffer(limit=1_000_000, save_cursor=bool)
    buffer.log("info", "one")
    first = buffer.take()
    buffer.log("info", "three")
    second = buffer.take()
    assert (first.size, second.size) == (LINE_OVERHEAD + 3, LINE_OVERHEAD + 5)


def test_the_limit_counts_what_lines_take_of_memory():
    count = 10_000
    limit = count * (LINE_OVERHEAD + 20)
    buffer = ReportBuffer(limit=2 * limit, save_cursor=bool)
    tracemalloc.start()
    try:
        for number in range(count):
            buffer.log("info", f"line {number:015d}")
        waiting, _ = tracemalloc.get_traced_memory()
        batch = buffer.take()
        taken, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert batch.size == limit
    for used in (waiting, taken, most):
        assert 0.7 * limit < used < 1.1 * limit


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_a_full_buffer_does_not_block():
    buffer = full_buffer()

    def report_in_transaction():
        with transaction.atomic():
            buffer.log("info", "late")
        connection.close()

    with reporting(report_in_transaction) as (_thread, failures):
        pass
    assert failures == []
    assert texts(buffer.take())[-1] == "late"


def test_a_run_that_waits_for_room_hears_of_a_cancel():
    buffer = full_buffer()
    with reporting(lambda: buffer.log("info", "late")) as (thread, failures):
        thread.join(timeout=0.1)
        buffer.interrupt(OperationCancelled())
    assert isinstance(failures[0], OperationCancelled)


def test_a_cancel_is_raised_at_the_next_check_not_at_a_report():
    buffer = ReportBuffer(limit=1_000_000, save_cursor=bool)
    buffer.check()
    buffer.interrupt(OperationCancelled())
    buffer.log("info", "cleaning up")
    buffer.update(percent=1)
    buffer.show_region("#a", "1")
    assert len(buffer.take()) == 3
    with pytest.raises(OperationCancelled):
        buffer.check()


@pytest.mark.parametrize(
    "report",
    [
        lambda buffer: buffer.update(percent=1),
        lambda buffer: buffer.show_region("#a", "1"),
        lambda buffer: buffer.log("info", "one"),
        lambda buffer: buffer.check(),
    ],
)
def test_a_run_without_its_lease_ends_at_its_next_report(report):
    buffer = ReportBuffer(limit=1_000_000, save_cursor=bool)
    buffer.interrupt(LeaseLost())
    with pytest.raises(LeaseLost):
        report(buffer)


def test_each_thread_s_lines_stay_in_order():
    buffer = ReportBuffer(limit=1_000_000, save_cursor=bool)
    numbers = range(500)

    def count(name):
        for number in numbers:
            buffer.log("info", f"{name} {number}")

    threads = [threading.Thread(target=count, args=[name]) for name in "abcd"]
    for thread in threads:
        thread.start()
    lines = []
    while any(thread.is_alive() for thread in threads):
        lines += texts(buffer.take())
    lines += texts(buffer.take())
    for name in "abcd":
        mine = [line for line in lines if line.startswith(name)]
        assert mine == [f"{name} {number}" for number in numbers]
