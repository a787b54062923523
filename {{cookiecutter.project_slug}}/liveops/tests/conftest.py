"""What tests of the engine share."""

import json
from typing import Any

import pytest


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
