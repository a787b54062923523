"""Frames and tokens that nobody thought of: refused, each in the way that is written down.

`SECURITY_FRAMES` says how many are tried, at least; the seed of a failure is printed.
"""

import math
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from liveops.models import LiveOperation
from liveops.security import BadToken, Claims, make_subscription_token, read_subscription_token
from liveops.wire import Ack, Malformed, Subscribe, parse
from tests.security.hostile import frames, payloads, signed, tampered, variants_of
from tests.security.promises import Figures

pytestmark = pytest.mark.fault(20)

INPUTS = int(os.environ.get("SECURITY_FRAMES", "100000"))
FRAME_VARIANTS = 11
TOKEN_VARIANTS = 13
# Where to cut, flip or insert.
places = st.integers(min_value=0, max_value=5_000)


def trying(share: float, variants: int) -> settings:
    return settings(
        max_examples=math.ceil(INPUTS * share / variants),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def is_position(value: Any) -> bool:
    return all(type(number) is int and 0 <= number < 2**63 for number in value)


@trying(0.5, FRAME_VARIANTS)
@given(frame=frames, at=places)
def test_a_frame_is_a_message_or_malformed(figures: Figures, frame: str, at: int) -> None:
    for text in variants_of(frame, at):
        figures.inputs += 1
        try:
            message = parse(text)
        except Malformed:
            continue
        match message:
            case Ack(position=position):
                assert is_position(position)
            case Subscribe(token=token, after=after):
                assert isinstance(token, str)
                assert 0 < len(token) <= 4096
                assert after is None or is_position(after)


@trying(0.4, TOKEN_VARIANTS)
@given(user=st.integers(), session=st.text(), at=places)
def test_a_tampered_token_is_a_bad_token(
    figures: Figures, user: int, session: str, at: int
) -> None:
    owner = User(pk=user, password=session)
    token = make_subscription_token(owner, LiveOperation(), session_key=session)
    assert read_subscription_token(token).user_key == str(user)
    for text in tampered(token, at):
        figures.inputs += 1
        with pytest.raises(BadToken):
            read_subscription_token(text)


@trying(0.1, 4)
@given(payload=payloads, text=st.text(), key=st.text(min_size=1), salt=st.text())
def test_what_is_signed_but_no_token_is_a_bad_token_or_says_nothing_odd(
    figures: Figures, payload: Any, text: str, key: str, salt: str
) -> None:
    for foreign in (text, signed(payload, key=f"other {key}"), signed(payload, salt=f"x{salt}")):
        figures.inputs += 1
        with pytest.raises(BadToken):
            read_subscription_token(foreign)
    figures.inputs += 1
    try:
        claims = read_subscription_token(signed(payload))
    except BadToken:
        return
    assert isinstance(claims, Claims)
    assert isinstance(claims.user_key, str)
    assert all(isinstance(channel, str) for channel in claims.channels)
