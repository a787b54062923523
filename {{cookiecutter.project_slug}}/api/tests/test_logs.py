"""Logs by ranges of lines and as a file, and the files that operations made."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from api.tests.conftest import client_of
from liveops.models import State, kind_class
from liveops.tests.make import add_lines, make_operation


def test_the_log_is_read_by_ranges(api: APIClient, ann: Any) -> None:
    operation = make_operation(ann, state=State.RUNNING)
    add_lines(operation, *(f"line {number}" for number in range(1, 8)))
    log = api.get(f"/api/operations/{operation.pk}/log/?from=3&limit=2").json()
    assert [(line["number"], line["text"]) for line in log["lines"]] == [
        (3, "line 3"),
        (4, "line 4"),
    ]
    assert (log["next"], log["total"], log["attempt"]) == (5, 7, 1)
    assert log["lines"][0]["level"] == "info"
    rest = api.get(f"/api/operations/{operation.pk}/log/?from=5").json()
    assert (len(rest["lines"]), rest["next"]) == (3, 8)
    nothing = api.get(f"/api/operations/{operation.pk}/log/?from=1000000").json()
    assert (nothing["lines"], nothing["next"]) == ([], 8)


def test_long_lines_come_in_smaller_ranges(api: APIClient, ann: Any) -> None:
    operation = make_operation(ann, state=State.RUNNING)
    add_lines(operation, "x" * 2_000_000, "y" * 600_000, "z" * 600_000)
    address = f"/api/operations/{operation.pk}/log/"
    starts = [1]
    while starts[-1] <= 3:
        starts.append(api.get(f"{address}?from={starts[-1]}").json()["next"])
    assert starts == [1, 2, 3, 4]


def test_an_attempt_that_never_was_is_not_found(api: APIClient, ann: Any) -> None:
    operation = make_operation(ann)
    for rest in ("log/", "log.txt"):
        answer = api.get(f"/api/operations/{operation.pk}/{rest}?attempt=2")
        assert answer.status_code == 404
        assert "attempt 1" in answer.json()["message"]


@pytest.mark.parametrize(
    "query", ["attempt=0", "attempt=x", "from=0", "from=", "from=1&from=2", "limit=2001", "to=5"]
)
def test_a_wrong_range_is_refused(api: APIClient, ann: Any, query: str) -> None:
    operation = make_operation(ann)
    answer = api.get(f"/api/operations/{operation.pk}/log/?{query}")
    assert answer.status_code == 400
    assert answer.json()["fields"][0]["field"] == query.partition("=")[0]


async def body_of(answer: Any) -> bytes:
    return b"".join([part async for part in answer.streaming_content])


async def test_the_log_is_downloaded(transactional_db: None, async_log: Any) -> None:
    answer, text = async_log
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert (await body_of(answer)).decode().count(text) == 1


@pytest.fixture
def async_log(transactional_db: None, ann: Any) -> Any:
    operation = make_operation(ann)
    add_lines(operation, "<b>only line</b>")
    return client_of(ann).get(f"/api/operations/{operation.pk}/log.txt"), "<b>only line</b>"


def test_a_file_is_downloaded_by_its_owner_alone(
    api: APIClient, ann: Any, bob: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    export: Any = kind_class("operations.exportcontacts")
    operation = make_operation(ann, export, State.SUCCEEDED)
    address = f"/api/operations/{operation.pk}/files/output/"
    assert api.get(address).status_code == 404
    (tmp_path / "made.csv").write_text("name\r\n")
    export.objects.filter(pk=operation.pk).update(output="made.csv")
    shown = api.get(f"/api/operations/{operation.pk}/").json()
    assert shown["urls"]["files"] == {"output": address}
    answer = api.get(address)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="made.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client_of(bob).get(address).status_code == 404
    assert api.get(f"/api/operations/{operation.pk}/files/owner/").status_code == 404
