"""Text that every database, channel layer and browser takes."""

import json

import pytest
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from liveops.text import clean, clean_json

any_text = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("plain", "plain"),
        ("", ""),
        (7, "7"),
        (None, "None"),
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\udfff\x00", "\ufffd\ufffd"),
        ("zwölf 🙂 \u202e \x1b[31m", "zwölf 🙂 \u202e \x1b[31m"),
    ],
)
def test_clean(value, cleaned):
    assert clean(value) == cleaned


def test_text_that_was_marked_as_safe_html_is_plain_text_again():
    assert type(clean(mark_safe("<b>"))) is str
    assert type(clean(mark_safe("\x00<b>"))) is str


@given(any_text)
def test_whatever_comes_the_result_encodes_and_keeps_its_length(text):
    cleaned = clean(text)
    cleaned.encode()
    assert "\x00" not in cleaned
    assert len(cleaned) == len(text)
    assert clean(cleaned) == cleaned


def test_clean_json_reaches_keys_and_nested_values():
    value = {"a\x00": ["\ud800", {"b": "c\x00"}, 1, None, True, 0.5]}
    assert clean_json(value) == {"a\ufffd": ["\ufffd", {"b": "c\ufffd"}, 1, None, True, 0.5]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | any_text,
        lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
        max_leaves=8,
    )
)
def test_clean_json_always_encodes(value):
    json.dumps(clean_json(value), ensure_ascii=False).encode()
