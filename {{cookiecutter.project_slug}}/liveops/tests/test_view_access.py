"""Who gets which answer from every address; what buttons do needs POST and a CSRF token."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from liveops.models import LiveOperation, State
from liveops.security import read_subscription_token, session_digest
from liveops.tests.make import make_operation, make_user
from tests.kinds.models import Greeting

pytestmark = pytest.mark.django_db

SITE = ["/", "/operations/", "/start/kinds.greeting/"]
READ = ["live", "log", "log_text"]
ACT = ["cancel", "restart", "token"]


def address(name, key):
    return reverse(f"liveops:{name}", args=[key, "made"] if name == "file" else [key])


def ask(client, name, key):
    url = address(name, key)
    return client.post(url) if name in ACT else client.get(url)


@pytest.fixture
def bob():
    return make_user("bob")


@pytest.fixture
def ann_client(client):
    client.force_login(make_user())
    return client


@pytest.mark.parametrize("url", SITE)
def test_strangers_are_sent_to_sign_in(client, url):
    response = client.get(f"{url}?page=2")
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={url}%3Fpage%3D2"


@pytest.mark.parametrize("name", [*READ, "file", "cancel", "restart"])
def test_strangers_are_sent_to_sign_in_whether_there_is_an_operation_or_not(client, name):
    for key in (make_operation().pk, uuid.uuid4()):
        response = ask(client, name, key)
        assert response["Location"] == f"/accounts/login/?next={address(name, key)}"


def test_strangers_get_no_token_but_json(client):
    response = ask(client, "token", make_operation().pk)
    assert (response.status_code, response.json()) == (401, {"error": "not signed in"})


def test_a_refused_token_is_json(client, bob, monkeypatch):
    operation = make_operation()
    client.force_login(bob)
    response = ask(client, "token", operation.pk)
    assert (response.status_code, response.json()) == (404, {"error": "no such operation"})
    client.force_login(operation.owner)
    monkeypatch.setattr(Greeting, "required_group", "operators")
    response = ask(client, "token", operation.pk)
    assert (response.status_code, response.json()) == (403, {"error": "not allowed"})


@pytest.mark.parametrize("name", [*READ, *ACT, "file"])
def test_a_foreign_operation_and_an_unknown_one_get_the_same_answer(ann_client, bob, name):
    foreign = make_operation(bob, state=State.FAILED).pk
    unknown = uuid.uuid4()
    answers = [ask(ann_client, name, key) for key in (foreign, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    pages = [
        re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
        for answer in answers
    ]
    assert pages[0].replace(str(foreign), "") == pages[1].replace(str(unknown), "")
    headers = [dict(answer.headers) for answer in answers]
    assert headers[0] == headers[1]
    assert LiveOperation.objects.get().state == "FAILED"


@pytest.mark.parametrize("url", SITE)
def test_who_is_not_in_the_group_of_the_site_gets_403(ann_client, settings, url):
    settings.LIVEOPS = {"REQUIRED_GROUP": "operators"}
    assert ann_client.get(url).status_code == 403


@pytest.mark.parametrize("name", [*READ, *ACT, "file"])
def test_who_left_the_group_of_the_kind_gets_403(client, monkeypatch, name):
    operation = make_operation()
    client.force_login(operation.owner)
    monkeypatch.setattr(Greeting, "required_group", "operators")
    assert ask(client, name, operation.pk).status_code == 403


def test_who_is_not_in_the_group_of_a_kind_cannot_start_it(ann_client, monkeypatch):
    monkeypatch.setattr(Greeting, "required_group", "operators")
    assert ann_client.get("/start/kinds.greeting/").status_code == 403
    assert ann_client.post("/start/kinds.greeting/").status_code == 403
    assert b"kinds.greeting" not in ann_client.get("/").content
    assert b"kinds.chatter" in ann_client.get("/").content


@pytest.mark.parametrize("kind", ["kinds.nobody", "liveops.liveoperation", "accounts.user", "x"])
def test_an_unknown_kind_cannot_be_started(ann_client, kind):
    assert ann_client.get(f"/start/{kind}/").status_code == 404


@pytest.mark.parametrize("name", ACT)
def test_buttons_need_post(client, name):
    operation = make_operation(state=State.FAILED)
    client.force_login(operation.owner)
    response = client.get(address(name, operation.pk))
    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
    operation.refresh_from_db()
    assert operation.attempt == 1


@pytest.mark.parametrize("url", ["cancel", "restart", "token", "/start/kinds.greeting/"])
def test_buttons_need_a_csrf_token(url):
    operation = make_operation(state=State.FAILED)
    client = Client(enforce_csrf_checks=True)
    client.force_login(operation.owner)
    url = url if url.startswith("/") else address(url, operation.pk)
    assert client.post(url).status_code == 403
    operation.refresh_from_db()
    assert (operation.attempt, LiveOperation.objects.count()) == (1, 1)
    page = client.get(f"/operations/{operation.pk}/").content.decode()
    token = re.search(r'data-liveop-csrf="(\w+)"', page)
    assert token
    accepted = client.post(url, headers={"X-CSRFToken": token[1]})
    assert accepted.status_code in (200, 302)


def test_a_token_is_for_this_user_operation_and_session(client):
    operation = make_operation()
    client.force_login(operation.owner)
    response = client.post(address("token", operation.pk))
    claims = read_subscription_token(response.json()["token"])
    assert claims.user_key == str(operation.owner.pk)
    assert claims.channels == (operation.get_channel_name(),)
    assert claims.session == session_digest(client.session.session_key)
    assert "no-store" in response["Cache-Control"]


def test_the_page_embeds_a_token_of_its_own_and_is_not_cached(client):
    operation = make_operation()
    client.force_login(operation.owner)
    tokens = set()
    for _ in range(2):
        response = client.get(f"/operations/{operation.pk}/")
        assert "no-store" in response["Cache-Control"]
        found = re.search(r'data-liveop-token="([^"]+)"', response.content.decode())
        assert found
        tokens.add(read_subscription_token(found[1]).token_id)
    assert len(tokens) == 2


def test_the_traceback_is_for_staff_only(client):
    operation = make_operation(state=State.FAILED, error="no luck", traceback="Traceback <secret>")
    client.force_login(operation.owner)
    page = client.get(f"/operations/{operation.pk}/").content.decode()
    assert "no luck" in page
    assert "secret" not in page
    operation.owner.is_staff = True
    operation.owner.save()
    page = client.get(f"/operations/{operation.pk}/").content.decode()
    assert "Traceback &lt;secret&gt;" in page
