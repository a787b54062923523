"""The token for the websocket, by each way to sign in."""

import logging
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from api.jwt import AccessToken
from api.tests.conftest import client_of
from liveops.fragments import PROTOCOL
from liveops.security import read_subscription_token, session_digest
from liveops.tests.make import make_operation


def issue(client: Any, operation: Any) -> dict[str, Any]:
    answer = client.post(f"/api/operations/{operation.pk}/subscription-token/")
    assert answer.status_code == 200, answer.content
    assert "no-store" in answer.headers["Cache-Control"]
    body: dict[str, Any] = answer.json()
    return body


def jwt_client(user: Any) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(user)}")
    return client


@pytest.mark.parametrize("client_of", [client_of, jwt_client])
def test_a_client_gets_a_token_that_needs_no_session(ann: Any, client_of: Any) -> None:
    operation = make_operation(ann)
    body = issue(client_of(ann), operation)
    claims = read_subscription_token(body.pop("token"))
    assert (claims.user_key, claims.channels) == (str(ann.pk), (f"liveop.{operation.pk}",))
    assert claims.for_client
    assert claims.session == ""
    assert body == {"websocket": "/ws/liveops/", "protocol": PROTOCOL, "expires_in": 300}


def test_a_browser_gets_a_token_of_its_session(ann: Any) -> None:
    browser = Client()
    browser.force_login(ann)
    claims = read_subscription_token(issue(browser, make_operation(ann))["token"])
    assert not claims.for_client
    assert claims.session == session_digest(browser.session.session_key)


def test_issuing_is_noted_without_the_token(ann: Any, caplog: pytest.LogCaptureFixture) -> None:
    operation = make_operation(ann)
    with caplog.at_level(logging.INFO, "liveops.audit"):
        token = issue(client_of(ann), operation)["token"]
    assert caplog.text.count(f"token issued operation={operation.pk}") == 1
    assert f"user={ann.pk}" in caplog.text
    assert token not in caplog.text
