"""Websockets that never open, and what the log says about them."""

import logging

import pytest
from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.db import OperationalError

from liveops.tests.make import make_operation
from liveops.tests.socket_client import Page, in_database


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.INFO, logger="liveops.audit")
    return lambda: [
        r.getMessage() for r in caplog.records if r.name == "liveops.audit" and r.levelno > 20
    ]


async def test_a_refused_origin_is_noted_with_origin_and_address(warnings):
    connected, _code = await Page(None, origin=b"https://evil.example").socket.connect()
    assert not connected
    (line,) = warnings()
    assert line.startswith("websocket refused ")
    assert "why=origin origin=https://evil.example" in line


async def test_an_unknown_path_is_refused_without_a_traceback(warnings):
    socket = WebsocketCommunicator(
        get_default_application(), "/ws/nothing/", headers=[(b"origin", b"http://testserver")]
    )
    connected, _code = await socket.connect()
    assert not connected
    assert 'why="no such path"' in warnings()[0]


async def test_a_refused_token_is_noted_and_not_shown(ann, warnings):
    async with Page(ann) as page:
        await page.say(type="subscribe", token="a-secret-nobody-may-read")
        assert await page.close_code() == 4401
    (line,) = warnings()
    assert "code=4401" in line
    assert "a-secret" not in line


async def test_a_page_that_leaves_is_noted_with_user_and_operation(ann, caplog):
    caplog.set_level(logging.INFO, logger="liveops.audit")
    operation = await in_database(make_operation)(ann.user)
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
    line = caplog.records[-1].getMessage()
    assert line.startswith(f"websocket closed operation={operation.pk} user={ann.user.pk}")
    assert line.endswith("why=left")


async def test_a_database_that_is_away_closes_with_1013(ann, front, monkeypatch):
    def fail(*args):
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("channels.auth._get_user_session_key", fail)
    async with Page(ann) as page:
        assert await page.close_code() == 1013


async def test_a_connection_that_breaks_is_noted_too(ann, caplog):
    caplog.set_level(logging.INFO, logger="liveops.audit")
    operation = await in_database(make_operation)(ann.user)
    page = Page(ann)
    await page.socket.connect()
    await page.subscribe(ann.token(operation))
    await page.socket.send_input({"type": "websocket.disconnect", "code": None})
    await page.socket.wait()
    assert caplog.records[-1].getMessage().endswith(f"user={ann.user.pk} why=left")
