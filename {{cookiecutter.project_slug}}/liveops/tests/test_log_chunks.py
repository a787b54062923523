"""How log lines are packed into rows."""

from hypothesis import given
from hypothesis import strategies as st

from liveops.models import LogChunk
from liveops.models.log import LogLine

# What `clean()` lets through.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


def pack(count: int) -> list[LogChunk]:
    lines = [LogLine(number, "info", f"line {number}") for number in range(1, count + 1)]
    return list(LogChunk.pack(attempt=2, seq=7, first_line=101, lines=lines))


def test_no_lines_make_no_chunk():
    assert pack(0) == []


def test_a_chunk_holds_at_most_500_lines():
    chunks = pack(1_001)
    assert [chunk.line_count for chunk in chunks] == [500, 500, 1]
    assert [(chunk.first_line, chunk.last_line) for chunk in chunks] == [
        (101, 600),
        (601, 1100),
        (1101, 1101),
    ]
    assert {(chunk.attempt, chunk.seq) for chunk in chunks} == {(2, 7)}
    assert chunks[1].lines[0] == LogLine(501, "info", "line 501")
    assert str(chunks[0]) == "lines 101 to 600"


@given(st.lists(st.tuples(st.integers(0, 2**45), st.sampled_from(["info", "error"]), texts)))
def test_lines_come_back_as_they_were(rows):
    lines = [LogLine(*row) for row in rows]
    chunks = LogChunk.pack(attempt=1, seq=1, first_line=1, lines=lines)
    assert [line for chunk in chunks for line in chunk.lines] == lines
