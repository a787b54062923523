"""docs/asyncapi.yaml describes what the websocket really says, every message and no other."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Self

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from rest_framework.authtoken.models import Token
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.models import User
from liveops.fragments import PARTS, PROTOCOL
from liveops.models import LiveOperation, State
from liveops.security import burn, make_subscription_token, read_subscription_token
from liveops.tests.make import make_operation
from liveops.wire import Ack, Close, Malformed, Subscribe, parse
from tests.client import SiteClient
from tests.kinds.guarded import Guarded
from tests.kinds.models import Patient
from tests.processes import SITE, accepts, wait_until
from tests.services import Stack

DOCUMENT: dict[str, Any] = yaml.safe_load((SITE / "docs/asyncapi.yaml").read_text("utf-8"))
CHANNEL = DOCUMENT["channels"]["operation"]
CLOSE_CODES: dict[int, str] = CHANNEL["x-close-codes"]


def validator(name: str) -> Draft202012Validator:
    """Checks the payload of one message."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return Draft202012Validator(schema)


def assert_described(message: dict[str, Any]) -> None:
    validator(message["type"]).validate(message)


# The document


def references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(target)}:
            yield target
        case dict():
            for each in value.values():
                yield from references(each)
        case list():
            for each in value:
                yield from references(each)


def test_every_reference_leads_somewhere() -> None:
    for target in references(DOCUMENT):
        found = DOCUMENT
        for step in target.removeprefix("#/").split("/"):
            assert step in found, target
            found = found[step]


def test_it_has_the_structure_of_asyncapi_3() -> None:
    """The parts of the specification's own schema that this document uses."""
    reference = {
        "type": "object",
        "required": ["$ref"],
        "properties": {"$ref": {"type": "string", "pattern": "^#/"}},
        "additionalProperties": False,
    }
    references_by_name = {"type": "object", "minProperties": 1, "additionalProperties": reference}
    channel = {
        "type": "object",
        "required": ["address", "messages"],
        "properties": {
            "address": {"type": "string", "pattern": "^/"},
            "description": {"type": "string"},
            "messages": references_by_name,
            "servers": {"type": "array", "items": reference},
            "bindings": {"type": "object", "required": ["ws"]},
        },
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    operation = {
        "type": "object",
        "required": ["action", "channel"],
        "properties": {
            "action": {"enum": ["send", "receive"]},
            "summary": {"type": "string"},
            "channel": reference,
            "messages": {"type": "array", "minItems": 1, "items": reference},
        },
        "additionalProperties": False,
    }
    server = {"type": "object", "required": ["host", "protocol"]}
    message = {
        "type": "object",
        "required": ["payload"],
        "properties": {
            "summary": {"type": "string"},
            "description": {"type": "string"},
            "payload": reference,
        },
        "additionalProperties": False,
    }
    named = {"type": "object", "minProperties": 1}
    Draft7Validator(
        {
            "type": "object",
            "required": ["asyncapi", "info"],
            "properties": {
                "asyncapi": {"const": "3.0.0"},
                "info": {
                    "type": "object",
                    "required": ["title", "version"],
                    "properties": {"version": {"const": str(PROTOCOL)}},
                },
                "defaultContentType": {"const": "application/json"},
                "servers": {**named, "additionalProperties": server},
                "channels": {**named, "additionalProperties": channel},
                "operations": {**named, "additionalProperties": operation},
                "components": {
                    "type": "object",
                    "properties": {
                        "messages": {**named, "additionalProperties": message},
                        "schemas": named,
                    },
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        }
    ).validate(DOCUMENT)
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_it_lists_exactly_the_codes_that_close_a_socket() -> None:
    assert set(CLOSE_CODES) == {int(code) for code in Close}
    assert all(text.strip().endswith(".") for text in CLOSE_CODES.values())


def test_it_lists_exactly_the_messages_that_there_are() -> None:
    written = (SITE / "liveops" / "wire.py").read_text("utf-8")
    taken = set(re.findall(r'case \{"type": "(\w+)"', written))
    sent = {"authentication", "frame", "snapshot", "heartbeat"}
    assert set(CHANNEL["messages"]) == taken | sent
    assert set(DOCUMENT["components"]["messages"]) == taken | sent
    schemas = DOCUMENT["components"]["schemas"]
    assert set(schemas["state"]["enum"]) == set(State.values)
    assert set(schemas["parts"]["properties"]) == set(PARTS)
    assert schemas["authentication"]["properties"]["protocol"]["const"] == PROTOCOL


@pytest.mark.parametrize(
    ("message", "is_legal"),
    [
        ({"type": "subscribe", "token": "t"}, True),
        ({"type": "subscribe", "token": "t", "after": None}, True),
        ({"type": "subscribe", "token": "t", "after": {"attempt": 1, "seq": 0}}, True),
        ({"type": "ack", "attempt": 1, "seq": 2**63 - 1}, True),
        ({"type": "subscribe"}, False),
        ({"type": "subscribe", "token": ""}, False),
        ({"type": "subscribe", "token": "t" * 4097}, False),
        ({"type": "subscribe", "token": "t", "after": {"attempt": 1}}, False),
        ({"type": "subscribe", "token": "t", "after": []}, False),
        ({"type": "ack", "attempt": 1, "seq": -1}, False),
        ({"type": "ack", "attempt": True, "seq": 1}, False),
        ({"type": "ack", "attempt": 1, "seq": 2**63}, False),
        ({"type": "ack", "seq": 1}, False),
    ],
)
def test_it_allows_what_the_site_takes(message: dict[str, Any], is_legal: bool) -> None:
    assert validator(message["type"]).is_valid(message) == is_legal
    try:
        parsed: Subscribe | Ack | None = parse(json.dumps(message))
    except Malformed:
        parsed = None
    assert (parsed is not None) == is_legal


# Real traffic


class Client:
    """An API client, whose every message in either direction is checked."""

    def __init__(self, stack: Stack, member: SiteClient, operation_id: str) -> None:
        key = Token.objects.get_or_create(user=User.objects.latest("pk"))[0].key
        answer = member.http.post(
            f"/api/operations/{operation_id}/subscription-token/",
            headers={"Authorization": f"Token {key}"},
        )
        answer.raise_for_status()
        self.token = answer.json()["token"]
        origin: Any = stack.base_url
        self._opening = connect(stack.ws_url, origin=origin, max_size=None, compression=None)
        self.heard: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self.socket: ClientConnection = self._opening.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._opening.__exit__(*error)

    def say(self, **message: Any) -> None:
        assert_described(message)
        self.socket.send(json.dumps(message))

    def hear(self, within: float = 20) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=within))
        assert_described(message)
        self.heard.append(message)
        if message["type"] != "authentication":
            self.say(type="ack", attempt=message["attempt"], seq=message["seq"])
        return message

    def hear_until(self, kind: str, state: str) -> dict[str, Any]:
        while True:
            message = self.hear()
            if message["type"] == kind and message["state"] == state:
                return message

    def close_code(self) -> int | None:
        try:
            while True:
                self.hear()
        except ConnectionClosed:
            return self.socket.close_code


sqlite_only = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)


@sqlite_only
def test_a_run_from_its_start_to_its_end(stack: Stack, member: SiteClient) -> None:
    operation_id = member.start("kinds.chatter", lines="600", burst="20", pause="0.1")
    with Client(stack, member, operation_id) as client:
        client.say(type="subscribe", token=client.token, after=None)
        assert client.hear()["type"] == "authentication"
        last = client.hear_until("frame", "SUCCEEDED")
        kinds = {message["type"] for message in client.heard}
        assert kinds >= {"authentication", "snapshot", "frame"}
    with Client(stack, member, operation_id) as late:
        late.say(type="subscribe", token=late.token, after={"attempt": 1, "seq": last["seq"] - 1})
        assert [late.hear()["type"] for _ in range(2)] == ["authentication", "frame"]


@sqlite_only
def test_regions_a_redirect_and_heartbeats(stack: Stack, member: SiteClient) -> None:
    with Client(stack, member, member.start("kinds.showcase")) as showcase:
        subscribed(showcase)
        while showcase.hear()["state"] != "SUCCEEDED":
            pass
        assert any(each.get("regions") for each in showcase.heard)
    patient_id = member.start("kinds.patient")
    with Client(stack, member, patient_id) as patient:
        subscribed(patient)
        assert patient.hear_until("heartbeat", "RUNNING")["age"] is not None
        Patient.objects.filter(pk=patient_id).update(may_end=True)
        patient.hear_until("frame", "SUCCEEDED")


def subscribed(client: Client) -> Client:
    client.say(type="subscribe", token=client.token)
    assert client.hear()["type"] == "authentication"
    return client


def with_a_used_token(client: Client) -> None:
    token = read_subscription_token(client.token)
    burn(token)
    client.say(type="subscribe", token=client.token)


def with_an_old_token(client: Client) -> None:
    with pytest.MonkeyPatch.context() as patch:
        now = time.time()
        patch.setattr(time, "time", lambda: now - 1000)
        user = User.objects.latest("pk")
        token = make_subscription_token(user, LiveOperation(), for_client=True)
    client.say(type="subscribe", token=token)


def after_the_operation_was_deleted(client: Client) -> None:
    LiveOperation.objects.filter(owner=User.objects.latest("pk")).delete()
    client.say(type="subscribe", token=client.token)


def of_a_kind_for_others(client: Client) -> None:
    user = User.objects.latest("pk")
    operation = make_operation(user, Guarded)
    token = make_subscription_token(user, operation, for_client=True)
    client.say(type="subscribe", token=token)


def too_often(client: Client) -> None:
    subscribed(client)
    # The site may hang up before the last of them.
    with suppress(ConnectionClosed):
        for seq in range(400):
            client.say(type="ack", attempt=1, seq=seq)


REFUSED: dict[Close, Callable[[Client], object]] = {
    Close.TOO_BIG: lambda client: client.socket.send("x" * 65_537),
    Close.MALFORMED: lambda client: client.socket.send("[]"),
    Close.BAD_TOKEN: with_a_used_token,
    Close.FORBIDDEN: of_a_kind_for_others,
    Close.UNKNOWN: after_the_operation_was_deleted,
    Close.TOO_SLOW: lambda client: None,
    Close.TOKEN_EXPIRED: with_an_old_token,
    Close.TOO_MANY: too_often,
}


@sqlite_only
@pytest.mark.parametrize("code", REFUSED)
def test_each_refusal_has_its_code(stack: Stack, member: SiteClient, code: Close) -> None:
    with Client(stack, member, member.start("kinds.greeting")) as client:
        REFUSED[code](client)
        assert client.close_code() == code
    assert code in CLOSE_CODES


@sqlite_only
def test_a_site_without_redis_says_that_it_is_overloaded(stack: Stack, member: SiteClient) -> None:
    with Client(stack, member, member.start("kinds.greeting")) as client:
        stack.redis.stop()
        try:
            client.say(type="subscribe", token=client.token)
            code = client.close_code()
        finally:
            stack.redis.start()
            stack.redis.wait_for(lambda: accepts(stack.redis_port), "accepts connections")
    assert code == Close.OVERLOADED
    # Other tests go on with a worker that has come back.
    started = LiveOperation.objects.filter(pk=member.start("kinds.greeting"))
    wait_until(lambda: started.get().state == State.SUCCEEDED, "the worker is back")
