"""Frames and tokens that somebody might send who means no good, for hypothesis to choose from."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from django.core import signing
from hypothesis import strategies as st

from liveops.security import SALT

numbers = (
    st.integers() | st.floats() | st.sampled_from([2**31, 2**63 - 1, 2**63, 10**400, -1, True])
)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)
like_a_message = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["subscribe", "ack", "Subscribe", "liveop.frame"]) | anything,
        "token": st.text() | anything,
        "after": st.fixed_dictionaries({"attempt": numbers, "seq": numbers}) | anything,
        "attempt": numbers,
        "seq": numbers,
    },
)
# `json` writes NaN and Infinity, which no other JSON has, and so they must be survived.
frames = st.text() | (anything | like_a_message).map(json.dumps)

payloads = anything | st.fixed_dictionaries(
    {
        "u": st.sampled_from(["1", 1, None, "', --"]) | anything,
        "c": st.lists(st.sampled_from(["liveop.", "liveop.x", "news.1", ""]) | anything) | anything,
        "s": st.just("") | anything,
        "i": st.text() | anything,
    },
)


def variants_of(text: str, at: int) -> Iterator[str]:
    """Ten more texts, by what goes wrong on the way or is done on purpose; `at` chooses where."""
    at %= len(text) + 1
    yield text
    yield text[:at]
    yield text[at:]
    yield text[:at] + chr(at % 128) + text[at + 1 :]
    yield text[:at] + '"' + text[at:]
    yield text + text
    yield f"[{text}]"
    yield "[" * at + text + "]" * at
    yield f"\ufeff{text}"
    yield text.swapcase()
    yield text.encode("utf-8", "replace").decode("latin-1")


def tampered(token: str, at: int) -> Iterator[str]:
    """What could be made of a good token without the key; the token itself is not among them."""
    payload, stamp, signature = token.split(":")
    at %= len(token)
    other = "A" if token[at] != "A" else "B"
    yield token[:at] + other + token[at + 1 :]
    yield token[:at]
    yield token[at:] if at else token + other
    yield token + other
    yield f":{token}"
    yield f".{token}"
    yield f"{payload}:{signature}"
    yield f"{payload}:{signature}:{stamp}"
    yield f"{payload}:zzzzzz:{signature}"
    yield f"{payload}::{signature}"
    yield f"{payload}:{stamp}:"
    yield f"{base64.urlsafe_b64encode(payload.encode()).decode()}:{stamp}:{signature}"
    yield f"{payload}={':'}{stamp}:{signature}"


def signed(payload: Any, *, key: str | None = None, salt: str = SALT) -> str:
    """A payload under a signature that is ours unless `key` or `salt` says otherwise."""
    signer = signing.TimestampSigner(key=key, salt=salt, fallback_keys=[])
    return signer.sign_object(payload)
