"""What a watcher has missed, and the log by slices, from the record."""

import json
import uuid

import pytest

from liveops.models import LiveOperation, LogChunk, State
from liveops.models.log import LogLine
from liveops.record import Log, NumberedLine, Position, catch_up, log_tail
from liveops.tests.make import add_lines, make_operation
from tests.kinds.models import Chatter, Showcase

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation():
    """Three frames: lines 1 and 2; a status; line 3."""
    operation = make_operation(state=State.RUNNING, status_text="half", regions={"#a": "<b>1</b>"})
    add_lines(operation, "one", "two", seq=1)
    add_lines(operation, "three", seq=3)
    return operation


def missed(operation, attempt, seq):
    found = catch_up(operation.pk, Position(attempt, seq))
    assert found is not None
    assert found.text is not None
    return json.loads(found.text)


def test_nothing_new(operation, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = catch_up(operation.pk, Position(1, 3))
    assert found is not None
    assert found.text is None
    assert found.position == (1, 3)


def test_a_deleted_operation():
    assert catch_up(uuid.uuid4(), None) is None


def test_missed_lines_only(operation):
    frame = missed(operation, 1, 1)
    assert (frame["type"], frame["attempt"], frame["seq"]) == ("frame", 1, 3)
    assert (frame["log"]["first"], frame["log"]["last"]) == (3, 3)
    assert "three" in frame["log"]["html"]
    assert "two" not in frame["log"]["html"]
    assert set(frame["parts"]) == {"stages", "status", "progress", "result"}
    assert "half" in frame["parts"]["status"]
    assert frame["regions"] == {"#a": "<b>1</b>"}


def test_missed_frames_without_lines(operation):
    operation.seq = 5
    operation.save()
    frame = missed(operation, 1, 3)
    assert (frame["type"], frame["seq"]) == ("frame", 5)
    assert (frame["log"]["first"], frame["log"]["last"], frame["log"]["html"]) == (4, 3, "")


def test_from_the_beginning_is_a_snapshot_with_the_tail(operation):
    found = catch_up(operation.pk, None)
    assert found is not None
    snapshot = json.loads(found.text or "")
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 3)
    assert (snapshot["log"]["first"], snapshot["log"]["last"]) == (1, 3)


@pytest.mark.parametrize("after", [(2, 0), (0, 3), (1, 4), (1, 2**62)])
def test_who_saw_another_attempt_or_more_than_there_is_gets_a_snapshot(operation, after):
    assert missed(operation, *after)["type"] == "snapshot"


@pytest.mark.parametrize(("limit", "answer"), [(3, "frame"), (2, "snapshot")])
def test_who_missed_too_many_lines_gets_a_snapshot(operation, settings, limit, answer):
    settings.LIVEOPS = {"CATCH_UP_LINES": limit}
    assert missed(operation, 1, 0)["type"] == answer


def test_missed_lines_are_not_cut_to_the_tail(operation, settings):
    settings.LIVEOPS = {"LOG_TAIL_LINES": 1, "LOG_TAIL_BYTES": 1}
    assert missed(operation, 1, 0)["log"]["first"] == 1


def test_lines_of_an_earlier_attempt_stay_out(operation):
    operation.state = State.FAILED
    operation.save()
    operation.restart()
    add_lines(operation, "new", seq=1)
    frame = missed(operation, 2, 0)
    assert (frame["log"]["first"], frame["log"]["last"]) == (1, 1)
    assert "new" in frame["log"]["html"]
    assert [line.text for line in Log(operation, 1)] == ["one", "two", "three"]


def test_chunks_written_after_the_row_was_read_stay_out(operation):
    before = LiveOperation.objects.get(pk=operation.pk)
    add_lines(operation, "four", seq=4)
    assert log_tail(before).last == 3


def test_the_result_of_a_finished_operation_may_show_fields_of_its_kind():
    operation = make_operation(
        kind=Chatter, own={"lines": 42}, state=State.SUCCEEDED, result_context={"a": 1}, seq=1
    )
    found = catch_up(operation.pk, None)
    assert found is not None
    assert isinstance(found.operation, Chatter)
    assert found.operation.lines == 42


def test_the_tail_is_limited_by_lines(settings):
    settings.LIVEOPS = {"LOG_TAIL_LINES": 3}
    operation = make_operation(state=State.RUNNING)
    add_lines(operation, *[f"line {number}" for number in range(1, 8)])
    tail = log_tail(operation)
    assert (tail.first, tail.last, tail.earlier) == (5, 7, 4)
    assert tail.html.count("<li") == 3


def test_the_tail_is_limited_by_bytes_but_has_a_line(settings):
    settings.LIVEOPS = {"LOG_TAIL_BYTES": 25, "LOG_LINE_CHARS": 1_000}
    operation = make_operation(state=State.RUNNING)
    add_lines(operation, "x" * 10, "x" * 10, "x" * 10)
    assert log_tail(operation).first == 2
    add_lines(operation, "x" * 100)
    assert (log_tail(operation).first, log_tail(operation).last) == (4, 4)


def test_the_tail_of_no_lines():
    tail = log_tail(make_operation())
    assert (tail.first, tail.last, tail.html, tail.earlier) == (1, 0, "", 0)


@pytest.mark.parametrize(("lines_in_a_chunk", "queries"), [(500, 1), (5, 3), (1, 5)])
def test_the_tail_of_a_long_log_takes_few_queries(
    monkeypatch, django_assert_num_queries, lines_in_a_chunk, queries
):
    operation = make_operation(state=State.RUNNING)
    monkeypatch.setattr(LogChunk, "MAX_LINES", lines_in_a_chunk)
    add_lines(operation, *map(str, range(1_000)))
    with django_assert_num_queries(queries):
        assert log_tail(operation).first == 801


def test_the_tail_of_an_empty_log_takes_no_query(django_assert_num_queries):
    operation = make_operation(state=State.RUNNING)
    with django_assert_num_queries(0):
        assert log_tail(operation).html == ""


class TestLog:
    @pytest.fixture
    def log(self):
        operation = make_operation(state=State.RUNNING)
        for first in range(0, 1_200, 400):
            add_lines(operation, *[f"line {first + number}" for number in range(1, 401)])
        add_lines(operation, *[f"line {number}" for number in range(1_201, 2_001)])
        return Log(operation, 1)

    def test_length(self, log):
        assert len(log) == 2_000

    @pytest.mark.parametrize(
        ("start", "stop"),
        [(0, 10), (395, 405), (399, 401), (1_190, 1_710), (1_990, 5_000), (1_999, 2_000), (7, 7)],
    )
    def test_slices(self, log, start, stop):
        expected = [(number, f"line {number}") for number in range(start + 1, min(stop, 2_000) + 1)]
        assert [(line.number, line.text) for line in log[start:stop]] == expected

    def test_the_end(self, log):
        assert [line.number for line in log[-2:]] == [1_999, 2_000]
        assert log[-1].text == "line 2000"
        assert log[0].text == "line 1"
        with pytest.raises(IndexError):
            log[2_000]

    def test_a_page_reads_only_the_chunks_that_it_needs(self, log, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert len(log[1_500:1_600]) == 100

    def test_all_lines_in_order(self, log):
        assert [line.number for line in log] == list(range(1, 2_001))

    def test_of_an_attempt_that_logged_nothing(self, log):
        operation = make_operation(owner=LiveOperation.objects.get().owner)
        assert len(Log(operation, 1)) == 0
        assert list(Log(operation, 1)) == []
        assert Log(operation, 1)[-200:] == []

    def test_what_the_page_shows_of_a_line(self, log):
        line = log[0]
        assert (line.level, line.time.year) == ("info", 2023)
        assert line.html == "line 1"
        assert NumberedLine(number=1, line=LogLine(0, "info", "<\x1b[31mb>")).html == (
            '&lt;<span class="ansi-red">b&gt;</span>'
        )


class TestRedirect:
    """Whoever watched the run goes where the end leads, though its last frame was lost."""

    @pytest.fixture
    def ended(self):
        return make_operation(kind=Showcase, state=State.SUCCEEDED, seq=7)

    def test_to_the_success_url(self, ended):
        assert missed(ended, 1, 6)["redirect"] == "/operations/"

    def test_to_the_operation_that_follows(self, ended):
        following = make_operation(ended.owner)
        LiveOperation.objects.filter(pk=ended.pk).update(next_operation=following)
        assert missed(ended, 1, 6)["redirect"] == following.get_absolute_url()

    @pytest.mark.parametrize("after", [(1, 8), (2, 0), (0, 3)])
    def test_not_for_who_saw_something_else(self, ended, after):
        assert "redirect" not in missed(ended, *after)

    def test_not_for_who_saw_nothing(self, ended):
        found = catch_up(ended.pk, None)
        assert found is not None
        assert "redirect" not in json.loads(found.text or "")

    @pytest.mark.parametrize("state", [State.RUNNING, State.FAILED, State.LOST])
    def test_not_without_success(self, ended, state):
        LiveOperation.objects.filter(pk=ended.pk).update(state=state)
        assert "redirect" not in missed(ended, 1, 6)

    def test_not_when_the_kind_cannot_say(self, ended, monkeypatch):
        def broken(self):
            raise ZeroDivisionError

        monkeypatch.setattr(Showcase, "get_success_url", broken)
        assert "redirect" not in missed(ended, 1, 6)

    def test_with_a_whole_snapshot_too(self, ended):
        found = catch_up(ended.pk, Position(1, 6), whole=True)
        assert found is not None
        snapshot = json.loads(found.text or "")
        assert (snapshot["type"], snapshot["redirect"]) == ("snapshot", "/operations/")

    def test_not_for_who_has_seen_the_end(self, ended):
        found = catch_up(ended.pk, Position(1, 7), whole=True)
        assert found is not None
        assert "redirect" not in json.loads(found.text or "")
