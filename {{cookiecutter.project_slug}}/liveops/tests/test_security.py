"""A subscription token: signed, short-lived, used once."""

import time

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from redis.exceptions import ConnectionError as RedisConnectionError

from liveops.models import LiveOperation
from liveops.security import (
    SALT,
    BadToken,
    CannotBurn,
    ExpiredToken,
    burn,
    make_subscription_token,
    read_subscription_token,
    session_digest,
)
from liveops.shared_cache import shared_cache
from liveops.tests.make import at_once

ANN = get_user_model()(pk=7, password="a hash")
OPERATION = LiveOperation()


def token(**keys):
    return make_subscription_token(ANN, OPERATION, **keys)


def test_roundtrip():
    claims = read_subscription_token(token(session_key="abc"))
    assert claims.user_key == "7"
    assert claims.channels == (f"liveop.{OPERATION.pk}",)
    assert claims.session == session_digest("abc")
    assert len(claims.token_id) > 20


def test_two_tokens_have_different_ids():
    ids = {read_subscription_token(token()).token_id for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(("age", "is_good"), [(0, True), (64, True), (66, False)])
def test_a_token_lives_for_its_ttl_and_some_seconds_of_clock_skew(
    settings, monkeypatch, age, is_good
):
    settings.LIVEOPS = {"TOKEN_TTL": 60}
    made, issued_at = token(), time.time()
    monkeypatch.setattr(time, "time", lambda: issued_at + age)
    if is_good:
        assert read_subscription_token(made).user_key == "7"
    else:
        with pytest.raises(ExpiredToken):
            read_subscription_token(made)


@pytest.mark.parametrize("position", [0, 5, 40, -1])
def test_a_tampered_token_is_refused(position):
    made = token()
    other = "A" if made[position] != "A" else "B"
    tampered = made[:position] + other + made[position:][1:]
    with pytest.raises(BadToken) as refused:
        read_subscription_token(tampered)
    assert not isinstance(refused.value, ExpiredToken)


@pytest.mark.parametrize("text", ["", ":", "a:b:c", "\x00", "é:é:é", "🙂" * 100])
def test_nonsense_is_refused(text):
    with pytest.raises(BadToken):
        read_subscription_token(text)


@pytest.mark.parametrize("payload", [[], "text", 7, None, {}, {"u": 1, "c": 5, "s": "", "i": ""}])
def test_a_foreign_payload_under_our_signature_is_refused(payload):
    signed = signing.TimestampSigner(salt=SALT).sign_object(payload)
    with pytest.raises(BadToken):
        read_subscription_token(signed)


def test_a_token_of_another_key_is_refused(settings):
    made = token()
    settings.SECRET_KEY = "another key, 0123456789"
    with pytest.raises(BadToken):
        read_subscription_token(made)


def test_a_token_of_the_key_before_is_good_after_a_rotation(settings):
    made = token()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, 0123456789"
    assert read_subscription_token(made).user_key == "7"


def test_a_signature_for_another_purpose_is_refused():
    with pytest.raises(BadToken):
        read_subscription_token(signing.TimestampSigner(salt="other").sign_object({"u": "7"}))


def test_a_replayed_token_is_refused():
    claims = read_subscription_token(token())
    burn(claims)
    with pytest.raises(BadToken):
        burn(claims)


def test_of_threads_that_race_with_one_token_one_wins():
    claims = read_subscription_token(token())

    def try_it():
        try:
            burn(claims)
        except BadToken:
            return False
        return True

    assert at_once(8, try_it).count(True) == 1


@pytest.mark.parametrize("error", [RedisConnectionError("down"), TimeoutError("slow")])
def test_a_token_that_cannot_be_burned_is_not_good(monkeypatch, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(shared_cache(), "add", fail)
    with pytest.raises(CannotBurn, match=str(error)):
        burn(read_subscription_token(token()))


def test_session_digest_tells_sessions_apart_and_gives_no_key_away():
    digests = {session_digest("abc"), session_digest("abd"), session_digest(None)}
    assert len(digests) == 3
    assert session_digest(None) == session_digest("") == ""
    assert "abc" not in session_digest("abc")


def test_the_token_of_an_operation_is_its_owners():
    operation = LiveOperation(owner=get_user_model()(pk=7))
    claims = read_subscription_token(operation.subscription_token)
    assert (claims.user_key, claims.session) == ("7", "")
