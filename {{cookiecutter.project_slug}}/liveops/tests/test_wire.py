"""Whatever a browser sends is a message that we know, or Malformed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveops.record import Position
from liveops.wire import Ack, Close, Malformed, Subscribe, parse

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
like_a_message = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["subscribe", "ack"]) | anything,
        "token": st.text() | anything,
        "after": st.fixed_dictionaries({"attempt": anything, "seq": anything}) | anything,
        "attempt": anything,
        "seq": anything,
    },
)


def test_subscribe():
    text = '{"type": "subscribe", "token": "t", "after": {"attempt": 3, "seq": 812}}'
    assert parse(text) == Subscribe(token="t", after=Position(3, 812))


@pytest.mark.parametrize("after", ["", ', "after": null'])
def test_subscribe_from_the_beginning(after):
    text = f'{{"type": "subscribe", "token": "t"{after}}}'
    assert parse(text) == Subscribe(token="t", after=None)


def test_ack():
    text = '{"type": "ack", "attempt": 3, "seq": 820, "new": "in a later version"}'
    assert parse(text) == Ack(position=Position(3, 820))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "null",
        "[]",
        '"subscribe"',
        "{}",
        '{"type": "publish"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "token": ""}',
        '{"type": "subscribe", "token": 7}',
        '{"type": "subscribe", "token": ["t"]}',
        f'{{"type": "subscribe", "token": "{"t" * 4097}"}}',
        '{"type": "subscribe", "token": "t", "after": 812}',
        '{"type": "subscribe", "token": "t", "after": {"attempt": 3}}',
        '{"type": "subscribe", "token": "t", "after": false}',
        '{"type": "ack"}',
        '{"type": "ack", "attempt": -1, "seq": 0}',
        '{"type": "ack", "attempt": 1, "seq": -1}',
        '{"type": "ack", "attempt": 1.5, "seq": 0}',
        '{"type": "ack", "attempt": "1", "seq": "2"}',
        '{"type": "ack", "attempt": null, "seq": null}',
        '{"type": "ack", "attempt": true, "seq": 0}',
        '{"type": "ack", "attempt": 1, "seq": false}',
        '{"type": "ack", "attempt": 1, "seq": NaN}',
        '{"type": "ack", "attempt": 1, "seq": 1e999}',
        '{"type": "ack", "attempt": 1, "seq": ' + "9" * 5_000 + "}",
    ],
)
def test_malformed(text):
    with pytest.raises(Malformed):
        parse(text)


def len_of(number):
    return f"{len(str(number))} digits"


@pytest.mark.parametrize("seq", [2**63, 2**64, 10**400], ids=len_of)
def test_a_number_that_no_column_holds_is_malformed(seq):
    with pytest.raises(Malformed):
        parse(json.dumps({"type": "ack", "attempt": 1, "seq": seq}))


@pytest.mark.parametrize(
    "text",
    ["[" * 60_000, '{"a":' * 12_000, "[" * 500 + "]" * 500],
    ids=["lists", "objects", "closed"],
)
def test_deeply_nested_json_is_malformed(text):
    with pytest.raises(Malformed):
        parse(text)


@given(st.text())
def test_any_text_is_a_message_or_malformed(text):
    expect_message_or_malformed(text)


@given(anything | like_a_message)
def test_any_json_is_a_message_or_malformed(value):
    expect_message_or_malformed(json.dumps(value))


def expect_message_or_malformed(text):
    try:
        message = parse(text)
    except Malformed:
        return
    assert isinstance(message, Subscribe | Ack)
    position = message.position if isinstance(message, Ack) else message.after
    if position is not None:
        assert all(type(number) is int for number in position)
        assert min(position) >= 0


def test_close_codes_are_what_clients_know():
    assert {code.name: int(code) for code in Close} == {
        "TOO_BIG": 1009,
        "FAILED": 1011,
        "OVERLOADED": 1013,
        "MALFORMED": 4400,
        "BAD_TOKEN": 4401,
        "FORBIDDEN": 4403,
        "UNKNOWN": 4404,
        "TOO_SLOW": 4408,
        "TOKEN_EXPIRED": 4410,
        "TOO_MANY": 4429,
    }
