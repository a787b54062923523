"""What tests of the engine share."""

import json
from typing import Any

import pytest
from channels.layers import channel_layers
from channels.routing import get_default_application

from liveops.models import LiveOperation, State
from liveops.tasks import run_operation
from liveops.tests.make import add_lines, make_operation, make_user
from liveops.tests.socket_client import SignedIn


class RecordingLayer:
    """A channel layer that keeps what is sent; `failure` is raised instead, if there is one."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.groups: set[str] = set()
        self.failure: Exception | None = None

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.failure is not None:
            raise self.failure
        self.groups.add(group)
        self.messages.append(message)

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(message["text"]) for message in self.messages if "text" in message]


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> RecordingLayer:
    """What workers and views push, instead of a real layer."""
    layer = RecordingLayer()
    monkeypatch.setattr("liveops.pusher.get_channel_layer", lambda: layer)
    monkeypatch.setattr("liveops.hints.get_channel_layer", lambda: layer)
    return layer


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that went to the broker, as (id, attempt)."""
    messages: list[tuple[str, int]] = []

    def keep(args: tuple[str, int], *_more: Any, **_options: Any) -> None:
        messages.append((args[0], args[1]))

    monkeypatch.setattr(run_operation, "apply_async", keep)
    return messages


@pytest.fixture
def ann(transactional_db: None) -> SignedIn:
    """Somebody who can open websockets."""
    # The in-memory layer belongs to the event loop of its test.
    channel_layers.backends.clear()
    return SignedIn(make_user())


@pytest.fixture
def watched(ann: SignedIn) -> LiveOperation:
    """A running operation of hers; three frames with a line each are on record."""
    operation: LiveOperation = make_operation(ann.user, state=State.RUNNING)
    for text in ("one", "two", "three"):
        add_lines(operation, text)
    return operation


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the handshake meets once its origin is known to be right."""
    websockets = get_default_application().application_mapping["websocket"]
    front = websockets.app.application.app.app
    monkeypatch.setattr(front, "away_until", 0.0)
    return front
