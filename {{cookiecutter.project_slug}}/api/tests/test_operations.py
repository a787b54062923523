"""Reading, listing, cancelling and retrying operations; and what is answered to anything else."""

import uuid
from typing import Any

import pytest
from django.db import OperationalError
from django.test import override_settings
from rest_framework.test import APIClient

from api.tests.conftest import client_of
from liveops.models import LiveOperation, OperationEvent, State
from liveops.tests.make import make_operation
from tests.kinds.models import Chatter, Greeting


def test_an_operation_says_everything_about_itself(api: APIClient, ann: Any) -> None:
    operation = make_operation(
        ann,
        Chatter,
        State.FAILED,
        percent=50.0,
        status_text="half",
        error="no luck",
        traceback="Traceback: secret",
        result_context={"rows": 3},
        stage_states={"First half": {"state": "failed", "started": 1.0, "seconds": 2.0}},
        tracking={"label": None, "unit": "line", "done": 5, "total": 9, "rate": 1.5, "eta": 2.5},
    )
    shown = api.get(f"/api/operations/{operation.pk}/").json()
    assert shown["id"] == str(operation.pk)
    assert (shown["kind"], shown["state"], shown["attempt"]) == ("kinds.chatter", "FAILED", 1)
    assert shown["status"] == {"text": "half", "level": "info"}
    assert shown["stages"][0] == {"name": "First half", "state": "failed", "seconds": 2.0}
    assert shown["stages"][1]["state"] == "pending"
    assert shown["tracking"]["total"] == 9
    assert (shown["result"], shown["error"]) == ({"rows": 3}, "no luck")
    assert (shown["can_cancel"], shown["can_retry"]) == (False, True)
    assert shown["urls"]["page"] == f"/operations/{operation.pk}/"
    for name in ("log", "log_text"):
        assert api.get(shown["urls"][name]).status_code == 200
    assert "traceback" not in shown
    ann.is_staff = True
    ann.save()
    assert api.get(shown["url"]).json()["traceback"] == "Traceback: secret"


def test_the_list_is_filtered_and_paged(api: APIClient, ann: Any, bob: Any) -> None:
    mine = [make_operation(ann) for _ in range(3)]
    make_operation(ann, Chatter, State.RUNNING)
    make_operation(bob)
    everything = api.get("/api/operations/").json()
    assert everything["count"] == 4
    assert everything["results"][0]["kind"] == "kinds.chatter"
    assert "result" not in everything["results"][0]
    first = api.get("/api/operations/?kind=kinds.greeting&state=QUEUED&page_size=2").json()
    assert (first["count"], first["previous"]) == (3, None)
    second = api.get(first["next"]).json()
    assert second["next"] is None
    assert api.get(second["previous"]).json() == first
    ids = [each["id"] for each in first["results"] + second["results"]]
    assert ids == [str(operation.pk) for operation in reversed(mine)]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("kind=kinds.nothing", 400),
        ("kind=%00", 400),
        ("kind=", 400),
        ("page=1&page=1", 400),
        ("state=DONE", 400),
        ("page=0", 400),
        ("page=2", 404),
        ("page=" + "9" * 18, 404),
        ("page=" + "9" * 5000, 400),
        ("page_size=1000", 400),
        ("page_size=x", 400),
        ("stat=QUEUED", 400),
    ],
)
def test_a_wrong_query_is_refused(api: APIClient, query: str, status: int) -> None:
    answer = api.get(f"/api/operations/?{query}")
    assert answer.status_code == status, answer.content
    assert [each["field"] for each in answer.json()["fields"]] == (
        [query.partition("=")[0]] if status == 400 else []
    )


def test_a_waiting_operation_is_cancelled_and_retried(
    api: APIClient, ann: Any, sent: list[tuple[str, int]]
) -> None:
    operation = make_operation(ann)
    address = f"/api/operations/{operation.pk}/"
    assert api.post(f"{address}cancel/").json()["state"] == "CANCELLED"
    again = api.post(f"{address}cancel/")
    assert (again.status_code, again.json()["error"]) == (409, "conflict")
    assert "CANCELLED" in again.json()["message"]
    retried = api.post(f"{address}retry/")
    assert (retried.json()["state"], retried.json()["attempt"]) == ("QUEUED", 2)
    assert api.post(f"{address}retry/").status_code == 409
    assert [event.user for event in OperationEvent.objects.all()] == [ann] * 3


def test_what_is_foreign_cannot_be_told_from_what_is_not_there(
    ann: Any, bob: Any, sent: list[tuple[str, int]]
) -> None:
    operation = make_operation(ann)
    client = client_of(bob)
    for method, rest in [
        ("get", ""),
        ("get", "log/"),
        ("get", "log.txt"),
        ("get", "files/output/"),
        ("post", "cancel/"),
        ("post", "retry/"),
        ("post", "subscription-token/"),
    ]:
        foreign, unknown = (
            getattr(client, method)(f"/api/operations/{pk}/{rest}")
            for pk in (operation.pk, uuid.uuid4())
        )
        assert (foreign.status_code, unknown.status_code) == (404, 404), rest
        assert foreign.content == unknown.content
        assert dict(foreign.headers) == dict(unknown.headers)
    operation.refresh_from_db()
    assert operation.state == State.QUEUED


@pytest.mark.parametrize(
    "address", ["", "nothing/", "kinds", "operations/7/", "operations/%00/", "operations/x/log/"]
)
def test_an_address_that_is_none_is_answered_in_json(api: APIClient, address: str) -> None:
    answer = api.get(f"/api/{address}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"


def test_a_method_that_is_none_is_answered_in_json(api: APIClient) -> None:
    answer = api.put("/api/operations/")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_whatever_a_client_accepts_it_gets_json(api: APIClient) -> None:
    answer = api.get("/api/operations/", HTTP_ACCEPT="text/html")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_a_fault_in_the_site_is_logged_and_answered_in_json(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_user: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("api.views.operations.visible_to", broken)
    answer = api.get("/api/operations/")
    assert (answer.status_code, answer.json()["error"]) == (500, "error")
    assert b"secret" not in answer.content
    assert "secret detail" in caplog.text


def test_a_database_that_is_away_is_answered_with_503(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_user: Any) -> Any:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("api.views.operations.visible_to", away)
    answer = api.get("/api/operations/")
    assert (answer.status_code, answer.json()["error"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "5"


def test_kinds_and_operations_of_a_gated_kind_need_its_group(
    api: APIClient, ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = make_operation(ann)
    monkeypatch.setattr(Greeting, "required_group", "greeters")
    names = [each["kind"] for each in api.get("/api/kinds/").json()]
    assert "kinds.greeting" not in names
    assert "kinds.chatter" in names
    assert api.post("/api/kinds/kinds.greeting/operations/").status_code == 403
    assert api.get(f"/api/operations/{operation.pk}/").status_code == 403
    assert api.get("/api/schema/").status_code == 200
    assert b"/api/kinds/kinds.greeting/" not in api.get("/api/schema/").content


def test_the_sites_group_is_needed_everywhere(api: APIClient, ann: Any) -> None:
    operation = make_operation(ann)
    with override_settings(LIVEOPS={"REQUIRED_GROUP": "operators"}):
        for address in ("kinds/", "operations/", f"operations/{operation.pk}/", "schema/"):
            answer = api.get(f"/api/{address}")
            assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")
        assert api.post("/api/kinds/kinds.greeting/operations/").status_code == 403
        ann.is_superuser = True
        ann.save()
        assert api.get("/api/operations/").status_code == 200
    assert LiveOperation.objects.count() == 1
