"""Who somebody is: by session, API token or JWT; and when that ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from api.jwt import AccessToken, RefreshToken
from api.signals import revoke_clients
from api.tests.conftest import client_of
from liveops.tests.make import make_operation

OPERATIONS = "/api/operations/"
PASSWORD = "pw"


def sign_in(how: str = "jwt", username: str = "ann", password: str = PASSWORD) -> Any:
    body = {"username": username, "password": password}
    return APIClient().post(f"/api/auth/{how}/", body, format="json")


def with_header(value: str) -> int:
    status: int = APIClient().get(OPERATIONS, HTTP_AUTHORIZATION=value).status_code
    return status


def refresh(token: str) -> Any:
    return APIClient().post("/api/auth/jwt/refresh/", {"refresh": token}, format="json")


def test_nobody_is_told_how_to_sign_in(db: None) -> None:
    answer = APIClient().get(OPERATIONS)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["error"] == "not_authenticated"
    assert "/api/auth/token/" in answer.json()["message"]


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token nonsense",
        "Token a b",
        "Token \xff",
        "Token " + "0" * 40,
        "Bearer",
        "Bearer nonsense",
        "Bearer a.b.c",
        "Bearer \xff.\xff.\xff",
        "Basic YW5uOnB3",
        "Bearer eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiMSJ9.",
    ],
)
def test_credentials_that_are_none_are_401(db: None, header: str) -> None:
    assert with_header(header) == 401


def test_an_api_token_lasts_until_it_is_deleted(ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    revoked: list[Any] = []
    monkeypatch.setattr("api.signals.revoke_clients", revoked.append)
    assert callable(revoke_clients)
    key = sign_in("token").json()["token"]
    assert sign_in("token").json()["token"] == key
    assert with_header(f"Token {key}") == 200
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    assert client.delete("/api/auth/token/").status_code == 204
    assert revoked == [ann.pk]
    assert with_header(f"Token {key}") == 401
    assert APIClient().delete("/api/auth/token/").status_code == 401


def test_a_pair_of_jwt_is_renewed_once(ann: Any) -> None:
    pair = sign_in().json()
    assert with_header(f"Bearer {pair['access']}") == 200
    assert with_header(f"Bearer {pair['refresh']}") == 401
    following = refresh(pair["refresh"])
    assert following.status_code == 200
    assert with_header(f"Bearer {following.json()['access']}") == 200
    assert refresh(pair["refresh"]).status_code == 401
    assert refresh(following.json()["access"]).status_code == 401
    assert refresh(following.json()["refresh"]).status_code == 200


def test_of_two_renewals_at_the_same_moment_one_wins(
    ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = sign_in().json()
    # As if neither had seen the other's yet.
    monkeypatch.setattr(RefreshToken, "check_blacklist", lambda self: None)
    assert [refresh(pair["refresh"]).status_code for _ in range(2)] == [200, 401]


def test_an_old_jwt_is_refused(ann: Any) -> None:
    old = AccessToken.for_user(ann)
    old.set_exp(from_time=timezone.now() - timedelta(days=1))
    assert with_header(f"Bearer {old}") == 401


def test_jwt_outlive_a_key_that_was_rotated_but_not_one_that_was_dropped(ann: Any) -> None:
    access = sign_in().json()["access"]
    with override_settings(SECRET_KEY="new" * 20, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert with_header(f"Bearer {access}") == 200
    with override_settings(SECRET_KEY="new" * 20, SECRET_KEY_FALLBACKS=[]):
        assert with_header(f"Bearer {access}") == 401


def test_a_new_password_ends_every_credential(ann: Any) -> None:
    pair, key = sign_in().json(), sign_in("token").json()["token"]
    ann.set_password("another")
    ann.save()
    assert with_header(f"Bearer {pair['access']}") == 401
    assert refresh(pair["refresh"]).status_code == 401
    assert with_header(f"Token {key}") == 401
    assert not Token.objects.exists()


def test_other_changes_of_an_account_end_nothing(ann: Any) -> None:
    key = sign_in("token").json()["token"]
    ann.first_name = "Ann"
    ann.save()
    assert with_header(f"Token {key}") == 200


@pytest.mark.parametrize("end", ["deactivate", "delete"])
def test_an_account_that_ends_takes_its_credentials_along(ann: Any, end: str) -> None:
    pair, key = sign_in().json(), sign_in("token").json()["token"]
    browser = Client()
    browser.force_login(ann)
    if end == "delete":
        ann.delete()
    else:
        ann.is_active = False
        ann.save()
    assert with_header(f"Bearer {pair['access']}") == 401
    assert refresh(pair["refresh"]).status_code == 401
    assert with_header(f"Token {key}") == 401
    assert browser.get(OPERATIONS).status_code == 401
    assert sign_in().status_code == sign_in("token").status_code == 401


@pytest.mark.parametrize("how", ["jwt", "token"])
def test_a_wrong_password_is_401_noted_and_not_repeated(
    ann: Any, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = sign_in(how, password="wr0ng-one")
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert b"wr0ng-one" not in answer.content
    assert "wr0ng-one" not in caplog.text
    assert f"sign-in failed user={ann.pk}" in caplog.text


def test_too_many_wrong_passwords_shut_the_right_one_out(ann: Any, settings: Any) -> None:
    settings.AXES_ENABLED = True
    for _ in range(settings.AXES_FAILURE_LIMIT):
        assert sign_in(password="wrong").status_code in {401, 429}
    answer = sign_in()
    assert answer.status_code == 429
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"] == "throttled"
    assert int(answer.headers["Retry-After"]) > 60


@pytest.mark.parametrize(
    "body", [{}, {"username": "ann"}, {"username": "a\0", "password": "x"}, {"username": []}]
)
def test_credentials_that_miss_something_are_named(db: None, body: Any) -> None:
    answer = APIClient().post("/api/auth/jwt/", body, format="json")
    assert answer.status_code == 400
    assert {each["field"] for each in answer.json()["fields"]} & {"username", "password"}
    assert all(each["value"] is None for each in answer.json()["fields"])


def test_whoever_may_not_use_the_site_gets_no_credential(ann: Any) -> None:
    with override_settings(LIVEOPS={"REQUIRED_GROUP": "operators"}):
        assert sign_in().status_code == sign_in("token").status_code == 403
    assert not Token.objects.exists()
    assert not OutstandingToken.objects.exists()


def test_a_session_needs_the_csrf_token_to_change_anything(ann: Any, sent: Any) -> None:
    operation = make_operation(ann)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    cancel = f"/api/operations/{operation.pk}/cancel/"
    assert browser.get(OPERATIONS).status_code == 200
    refused = browser.post(cancel)
    assert (refused.status_code, refused.json()["error"]) == (403, "permission_denied")
    assert "CSRF" in refused.json()["message"]
    browser.get("/")
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value
    header = {"X-CSRFToken": token}
    allowed = browser.post(cancel, content_type="application/json", headers=header)
    assert allowed.status_code == 200


def test_requests_are_throttled_by_user_and_by_address(ann: Any, bob: Any, settings: Any) -> None:
    rates = {"user": "2/min", "anon": "1/min", "sign_in": "3/min"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    api = client_of(ann)
    assert [api.get(OPERATIONS).status_code for _ in range(3)] == [200, 200, 429]
    throttled = api.get(OPERATIONS)
    assert 0 < int(throttled.headers["Retry-After"]) <= 61
    assert throttled.json()["error"] == "throttled"
    assert client_of(bob).get(OPERATIONS).status_code == 200
    assert [sign_in().status_code for _ in range(4)] == [200, 200, 200, 429]
    nobody = APIClient()
    assert [nobody.get("/api/nothing/").status_code for _ in range(2)] == [404, 429]


def test_without_redis_nobody_is_throttled(ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_options: Any) -> None:
        raise ConnectionError("Redis is away")

    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.cache.get", away)
    assert client_of(ann).get(OPERATIONS).status_code == 200
