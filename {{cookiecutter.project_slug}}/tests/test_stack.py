"""The parts that integration tests rely on do run."""

import httpx
from accounts.models import User
from tests.services import Stack


def test_the_web_server_of_the_stack_serves(stack: Stack) -> None:
    assert httpx.get(f"{stack.base_url}/healthz").text == "ok"


def test_the_orm_of_a_test_is_the_stacks(stack: Stack) -> None:
    User.objects.create_user("seen-by-both")
    asked = "from accounts.models import User; print(User.objects.get(username='seen-by-both').pk)"
    assert stack.manage("shell", "-v0", "-c", asked).strip().isdigit()
