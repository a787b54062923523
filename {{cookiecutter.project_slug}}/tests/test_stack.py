"""The parts that integration tests rely on do run, from the form to the websocket."""

import httpx

from accounts.models import User
from tests.client import SiteClient
from tests.live_page import Line
from tests.services import Stack
from tests.watcher import Watcher


def test_the_web_server_of_the_stack_serves(stack: Stack) -> None:
    assert httpx.get(f"{stack.base_url}/healthz").text == "ok"


def test_the_orm_of_a_test_is_the_stacks(stack: Stack) -> None:
    User.objects.create_user("seen-by-both")
    asked = "from accounts.models import User; print(User.objects.get(username='seen-by-both').pk)"
    assert stack.manage("shell", "-v0", "-c", asked).strip().isdigit()


def test_an_operation_is_started_run_and_watched(stack: Stack) -> None:
    User.objects.create_user("greeter", password="a-password")
    with SiteClient(stack.base_url) as client:
        client.sign_in("greeter", "a-password")
        watcher = Watcher(client, client.start("kinds.greeting"))
        watcher.connect()
        view = watcher.wait_until_finished()
        watcher.disconnect()
    assert view.state == "SUCCEEDED"
    assert view.lines == [Line(1, "info", "Hello")]
    assert view.problems == []
