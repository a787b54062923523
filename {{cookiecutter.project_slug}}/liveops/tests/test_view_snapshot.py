"""What a page gets that asks again and again because no websocket gets through."""

import json
import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.utils import timezone

from liveops.hints import show_alive
from liveops.models import LiveOperation, State
from liveops.record import Position, catch_up
from liveops.tests.make import add_lines, make_operation, make_user
from tests.kinds.models import Chatter, Greeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(client):
    """A running one, of the user who is signed in; three frames with a line each."""
    operation = make_operation(state=State.RUNNING, status_text="half")
    for text in ("one", "two", "three"):
        add_lines(operation, text)
    client.force_login(operation.owner)
    return operation


def ask(client, operation, query="", etag=None):
    headers = {} if etag is None else {"If-None-Match": etag}
    return client.get(f"/operations/{operation.pk}/snapshot/{query}", headers=headers)


def beat(response):
    return json.loads(response["Liveop-Heartbeat"])


class TestBody:
    @pytest.mark.parametrize(
        ("query", "after"),
        [
            ("", None),
            ("?attempt=1&seq=1", (1, 1)),
            ("?attempt=1&seq=9", (1, 9)),
            ("?attempt=2&seq=3", (2, 3)),
        ],
    )
    def test_is_what_the_websocket_would_bring(self, client, operation, query, after):
        response = ask(client, operation, query)
        found = catch_up(operation.pk, after and Position(*after))
        assert found is not None
        assert response.content.decode() == found.text
        assert response["Content-Type"] == "application/json"
        assert response.json()["type"] == ("frame" if after == (1, 1) else "snapshot")

    @pytest.mark.parametrize(
        "query",
        [
            "?attempt=1",
            "?seq=3",
            "?attempt=&seq=",
            "?attempt=one&seq=3",
            "?attempt=1&seq=-3",
            "?attempt=1&seq=3.0",
            "?attempt=1&seq=٣",
            "?attempt=²&seq=3",
            "?attempt=1&seq=" + "9" * 5_000,
            "?attempt=1&seq=%00",
        ],
    )
    def test_without_a_position_that_makes_sense_it_is_a_snapshot(self, client, operation, query):
        response = ask(client, operation, query)
        assert (response.status_code, response.json()["type"]) == (200, "snapshot")

    def test_shows_the_fields_of_the_kind_when_all_is_done(self, client, operation, monkeypatch):
        chatter = make_operation(
            operation.owner, Chatter, State.SUCCEEDED, own={"lines": 77}, result_context={}
        )
        template = "liveops/parts/default_result.html"
        seen = []

        def names(kind):
            seen.append(kind.lines)
            return [template]

        monkeypatch.setattr("liveops.models.LiveOperation.get_result_template_names", names)
        assert ask(client, chatter).json()["state"] == "SUCCEEDED"
        assert seen == [77]


class TestNothingNew:
    def test_says_the_etag(self, client, operation):
        first = ask(client, operation)
        assert first["ETag"] == '"1-3-RUNNING"'
        again = ask(client, operation, etag=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]

    @pytest.mark.parametrize("etag", ['W/"1-3-RUNNING"', '"x", "1-3-RUNNING"'])
    def test_says_an_etag_that_a_proxy_has_touched(self, client, operation, etag):
        assert ask(client, operation, etag=etag).status_code == 304

    def test_says_the_position(self, client, operation):
        response = ask(client, operation, "?attempt=1&seq=3")
        assert (response.status_code, response["ETag"]) == (304, '"1-3-RUNNING"')

    def test_a_new_line_is_news(self, client, operation):
        etag = ask(client, operation)["ETag"]
        add_lines(operation, "four")
        response = ask(client, operation, "?attempt=1&seq=3", etag)
        log = response.json()["log"]
        assert (response.json()["type"], log["first"], log["last"]) == ("frame", 4, 4)
        assert response["ETag"] == '"1-4-RUNNING"'

    def test_a_new_state_at_the_same_position_is_news(self, client, operation):
        queued = make_operation(operation.owner)
        etag = ask(client, queued, "?attempt=1&seq=0")["ETag"]
        assert LiveOperation.claim(queued.pk, 1, "worker")
        response = ask(client, queued, "?attempt=1&seq=0", etag)
        assert (response.status_code, response.json()["state"]) == (200, "RUNNING")
        assert response.json()["type"] == "snapshot"

    def test_a_new_attempt_is_news(self, client, operation):
        etag = ask(client, operation)["ETag"]
        operation.finish(State.FAILED)
        operation.restart()
        response = ask(client, operation, "?attempt=1&seq=3", etag)
        assert (response.json()["type"], response.json()["attempt"]) == ("snapshot", 2)
        assert response["ETag"] == '"2-0-QUEUED"'

    def test_a_place_in_the_queue_is_news(self, client, operation, settings):
        settings.LIVEOPS = {"MAX_RUNNING_PER_USER": 1}
        ahead, waiting = (make_operation(operation.owner, held=True) for _ in range(2))
        etag = ask(client, waiting, "?attempt=1&seq=0")["ETag"]
        assert etag == '"1-0-QUEUED-2"'
        ahead.cancel()
        response = ask(client, waiting, "?attempt=1&seq=0", etag)
        assert "place 1 " in response.json()["parts"]["status"]
        assert ask(client, waiting, etag=response["ETag"]).status_code == 304


class TestFreshness:
    def test_is_said_with_every_answer(self, client, operation):
        for etag in (None, '"1-3-RUNNING"'):
            response = ask(client, operation, etag=etag)
            message = beat(response)
            assert 0 <= message.pop("age") < 5
            assert message == {"type": "heartbeat", "attempt": 1, "seq": 3, "state": "RUNNING"}
            assert response["Liveop-Protocol"] == "1"
            assert response["Cache-Control"] == "private, no-cache"

    def test_a_silent_worker_is_told_though_nothing_is_new(self, client, operation):
        LiveOperation.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=40))
        response = ask(client, operation, "?attempt=1&seq=3")
        assert response.status_code == 304
        assert 40 <= beat(response)["age"] < 45

    def test_a_worker_that_cannot_write_its_row_is_not_silent(self, client, operation):
        LiveOperation.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=40))
        show_alive(operation.pk, 1)
        assert beat(ask(client, operation))["age"] < 5
        cache.clear()

    def test_a_clock_that_goes_wrong_makes_no_negative_age(self, client, operation):
        LiveOperation.objects.update(heartbeat_at=timezone.now() + timedelta(seconds=9))
        assert beat(ask(client, operation))["age"] == 0

    def test_what_is_queued_has_no_worker(self, client, operation):
        queued = make_operation(operation.owner)
        message = beat(ask(client, queued))
        assert (message["state"], message["age"]) == ("QUEUED", None)


class TestRefusals:
    def test_strangers_get_json(self, client):
        for key in (make_operation().pk, uuid.uuid4()):
            response = client.get(f"/operations/{key}/snapshot/")
            assert (response.status_code, response.json()) == (401, {"error": "not signed in"})

    def test_who_left_the_group_gets_json(self, client, operation, settings, monkeypatch):
        monkeypatch.setattr(Greeting, "required_group", "operators")
        response = ask(client, operation)
        assert (response.status_code, response.json()) == (403, {"error": "not allowed"})
        settings.LIVEOPS = {"REQUIRED_GROUP": "operators"}
        assert ask(client, operation).json() == {"error": "not allowed"}

    def test_a_foreign_operation_and_an_unknown_one_get_the_same_json(self, client, operation):
        foreign = make_operation(make_user("bob"))
        answers = [ask(client, each) for each in (foreign, LiveOperation())]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json() == answers[1].json() == {"error": "no such operation"}
        assert dict(answers[0].headers) == dict(answers[1].headers)

    def test_it_can_only_be_read(self, client, operation):
        assert client.post(f"/operations/{operation.pk}/snapshot/").status_code == 405

    def test_a_busy_database_gets_json(self, client, operation, monkeypatch):
        def busy(*args, **kwargs):
            raise OperationalError("database is locked")

        monkeypatch.setattr("liveops.views.script.missed_by", busy)
        response = client.get(
            f"/operations/{operation.pk}/snapshot/", headers={"Accept": "application/json"}
        )
        assert (response.status_code, response["Content-Type"]) == (503, "application/json")


def test_costs_few_queries(client, operation, django_assert_num_queries):
    # Session, user, row; the log only when there is something new.
    with django_assert_num_queries(3):
        assert ask(client, operation, "?attempt=1&seq=3").status_code == 304
    with django_assert_num_queries(4):
        assert ask(client, operation, "?attempt=1&seq=2").status_code == 200
