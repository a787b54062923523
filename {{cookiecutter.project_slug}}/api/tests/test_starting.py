"""Kinds, and starting operations: as JSON, with files, twice, wrongly, too often."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from rest_framework.test import APIClient

from liveops.models import LiveOperation, kind_class
from tests.kinds.models import Chatter, Greeting

ExportContacts: Any = kind_class("operations.exportcontacts")
FindDuplicates: Any = kind_class("operations.findduplicates")
ImportContacts: Any = kind_class("operations.importcontacts")
SAMPLE = Path(__file__).parents[2] / "operations/samples/contacts.csv"


def start(api: APIClient, kind: str, data: Any = None, **more: Any) -> Any:
    return api.post(f"/api/kinds/{kind}/operations/", data or {}, **{"format": "json", **more})


def faults(answer: Any) -> dict[str, tuple[str, str | None]]:
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"] == "invalid"
    return {each["field"]: (each["code"], each["value"]) for each in answer.json()["fields"]}


def test_kinds_say_what_their_forms_ask_for(api: APIClient) -> None:
    kinds = {each["kind"]: each for each in api.get("/api/kinds/").json()}
    duplicates = kinds["operations.findduplicates"]
    assert duplicates["stages"] == ["Load", "Compare", "Group"]
    assert duplicates["icon"] == FindDuplicates.icon
    [threshold] = duplicates["fields"]
    assert threshold["type"] == "integer"
    assert (threshold["minimum"], threshold["maximum"]) == (70, 100)
    assert threshold["required"] is False
    assert threshold["default"] == FindDuplicates._meta.get_field("threshold").get_default()
    by_name = {each["name"]: each for each in kinds["operations.importcontacts"]["fields"]}
    assert by_name["file"]["required"]
    assert by_name["file"]["type"] == "file"
    assert by_name["dry_run"]["type"] == "boolean"
    assert {"value": "", "label": "Recognise it"} in by_name["encoding"]["choices"]


def test_a_kind_is_started_with_its_defaults(api: APIClient, sent: Any) -> None:
    answer = start(api, "operations.findduplicates")
    assert answer.status_code == 201
    operation = FindDuplicates.objects.get()
    assert answer.json()["id"] == str(operation.pk)
    assert answer.headers["Location"] == f"/api/operations/{operation.pk}/"
    assert operation.threshold == FindDuplicates._meta.get_field("threshold").get_default()


def test_an_empty_body_starts_a_kind_that_asks_for_nothing(api: APIClient) -> None:
    answer = api.post("/api/kinds/kinds.greeting/operations/")
    assert answer.status_code == 201
    assert Greeting.objects.count() == 1


def test_values_of_the_body_reach_the_operation(api: APIClient) -> None:
    data = {"delimiter": "tab", "country": "France"}
    assert start(api, "operations.exportcontacts", data).status_code == 201
    operation = ExportContacts.objects.get()
    assert (operation.delimiter, operation.country) == ("tab", "France")


def test_a_file_is_sent_as_a_part(api: APIClient, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    with SAMPLE.open("rb") as file:
        data = {"file": file, "dry_run": "true", "skip_bad_rows": "false"}
        answer = start(api, "operations.importcontacts", data, format="multipart")
    assert answer.status_code == 201, answer.content
    operation = ImportContacts.objects.get()
    assert operation.dry_run
    assert not operation.skip_bad_rows
    assert operation.file.read() == SAMPLE.read_bytes()


def test_the_same_key_gives_the_same_operation(api: APIClient) -> None:
    key = str(uuid.uuid4())
    first = start(api, "kinds.greeting", HTTP_IDEMPOTENCY_KEY=key)
    again = start(api, "kinds.greeting", HTTP_IDEMPOTENCY_KEY=key)
    other = start(api, "kinds.greeting", HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4()))
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert LiveOperation.objects.count() == 2


def test_a_key_that_is_no_uuid_starts_nothing(api: APIClient) -> None:
    answer = start(api, "kinds.greeting", HTTP_IDEMPOTENCY_KEY="again")
    assert faults(answer) == {"Idempotency-Key": ("invalid", "again")}
    assert not LiveOperation.objects.exists()


DUPLICATES, EXPORT, IMPORT = (
    f"operations.{name}" for name in ("findduplicates", "exportcontacts", "importcontacts")
)
NULL = "null_characters_not_allowed"


@pytest.mark.parametrize(
    ("kind", "data", "field", "code", "value"),
    [
        (DUPLICATES, {"threshold": 300}, "threshold", "max_value", "300"),
        (DUPLICATES, {"threshold": "80"}, "threshold", "wrong_type", "80"),
        (DUPLICATES, {"threshold": True}, "threshold", "wrong_type", "True"),
        (DUPLICATES, {"threshold": [80]}, "threshold", "wrong_type", "[80]"),
        (DUPLICATES, {"threshold": None}, "threshold", "wrong_type", "None"),
        (DUPLICATES, {"treshold": 80}, "treshold", "unknown", None),
        (EXPORT, {"country": "a\0b"}, "country", NULL, "a\0b"),
        (EXPORT, {"country": "x" * 101}, "country", "max_length", "x" * 100 + "…"),
        (EXPORT, {"country": {"a": 1}}, "country", "wrong_type", "{'a': 1}"),
        (EXPORT, {"delimiter": "pipe"}, "delimiter", "invalid_choice", "pipe"),
        (IMPORT, {}, "file", "required", None),
        (IMPORT, {"file": "a.csv"}, "file", "wrong_type", "a.csv"),
        ("kinds.chatter", {"lines": 2**70}, "lines", "max_value", str(2**70)),
    ],
)
def test_a_wrong_value_is_named(
    api: APIClient, kind: str, data: Any, field: str, code: str, value: str | None
) -> None:
    assert faults(start(api, kind, data)) == {field: (code, value)}
    assert not LiveOperation.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "error"),
    [
        (b"{", "application/json", 400, "parse_error"),
        (b"[]", "application/json", 400, "parse_error"),
        (b'{"lines": NaN}', "application/json", 400, "parse_error"),
        (b'{"pause": 1e999}', "application/json", 400, "invalid"),
        (b'{"lines": "\\ud800"}', "application/json", 400, "parse_error"),
        (b'{"lines": ' + b"9" * 5000 + b"}", "application/json", 400, "parse_error"),
        (b"[" * 100_000, "application/json", 400, "parse_error"),
        (b"\xff\xfe", "application/json", 400, "parse_error"),
        (b"{}", "application/json; charset=nonsense", 201, None),
        (b"lines=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"lines=1", "text/plain", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b"no parts", "multipart/form-data", 400, "parse_error"),
        (b"no parts", "multipart/form-data; boundary=x", 400, "parse_error"),
        (b'{"a": "' + b"x" * 3_000_000 + b'"}', "application/json", 413, "too_large"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    api: APIClient, body: bytes, content_type: str, status: int, error: str | None
) -> None:
    answer = api.generic("POST", "/api/kinds/kinds.chatter/operations/", body, content_type)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"] == (error or "")
    assert answer.headers["Content-Type"] == "application/json"
    assert Chatter.objects.count() == (status == 201)


def test_fields_with_many_parts_are_refused(api: APIClient) -> None:
    data = {f"field{number}": "1" for number in range(1001)}
    answer = start(api, "kinds.chatter", data, format="multipart")
    assert answer.status_code == 400
    twice = start(api, "kinds.chatter", {"lines": ["1", "2"]}, format="multipart")
    assert faults(twice) == {"lines": ("wrong_type", "['1', '2']")}


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(api: APIClient) -> None:
    with override_settings(LIVEOPS={"MAX_UPLOAD": 100}):
        answer = api.generic(
            "POST", "/api/kinds/kinds.chatter/operations/", b"x" * (1024 * 1024 + 101), "image/png"
        )
        assert answer.status_code == 413
        small = SimpleUploadedFile("a.csv", b"x" * 101)
        answer = start(api, "operations.importcontacts", {"file": small}, format="multipart")
        assert faults(answer) == {"file": ("too_large", "a.csv")}


def test_a_file_of_another_type_is_refused(api: APIClient) -> None:
    page = SimpleUploadedFile("a.html", b"<script>")
    answer = start(api, "operations.importcontacts", {"file": page}, format="multipart")
    assert faults(answer)["file"][1] == "a.html"


def test_too_many_starts_have_to_wait(api: APIClient) -> None:
    with override_settings(LIVEOPS={"MAX_STARTS_PER_MINUTE": 2}):
        statuses = [start(api, "kinds.greeting").status_code for _ in range(2)]
        answer = start(api, "kinds.greeting")
    assert statuses == [201, 201]
    assert answer.status_code == 429
    assert answer.json()["error"] == "throttled"
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert LiveOperation.objects.count() == 2


def test_a_kind_that_is_none_cannot_be_started(api: APIClient) -> None:
    for name in ("kinds.nothing", "accounts.user", "liveops.liveoperation", "x", "a.b.c"):
        answer = start(api, name)
        assert answer.status_code == 404, name
        assert answer.json()["error"] == "not_found"
