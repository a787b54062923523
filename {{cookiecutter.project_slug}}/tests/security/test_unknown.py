"""Nobody learns whether an operation of somebody else exists."""

import re
import statistics
import time
import uuid
from typing import Any

import httpx
import pytest

from liveops.models import LiveOperation
from tests.security.access import rows_of
from tests.security.cast import CAST, Visitor
from tests.security.promises import Figures
from tests.security.routes import Route, http_routes
from tests.security.sockets import Socket, answer_to
from tests.security.stack import SecurityStack

ROUTES = [
    route
    for route in http_routes()
    if "pk" in route.parameters and not route.name.startswith("admin")
]
TRIES = 200
# These differ from answer to answer whatever is asked.
CHANGING_HEADERS = {"date", "expires", "set-cookie", "x-request-id"}
CSRF_TOKEN = re.compile(r'value="[A-Za-z0-9]{64}"')


def comparable(answer: httpx.Response, operation_id: uuid.UUID) -> Any:
    """Everything that the answer says, but for the id that was asked for."""
    text = CSRF_TOKEN.sub("", answer.text.replace(str(operation_id), "ID"))
    headers = {
        name: value.replace(str(operation_id), "ID")
        for name, value in answer.headers.items()
        if name not in CHANGING_HEADERS
    }
    return answer.status_code, headers, text


def ask(visitor: Visitor, route: Route, method: str, operation_id: uuid.UUID) -> httpx.Response:
    path = route.path({"pk": operation_id, "field": "report", "kind": "kinds.guarded"})
    return visitor.http.request(method, path)


@pytest.mark.fault(19)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_foreign_and_unknown_operations_get_the_same_answer(
    stack: SecurityStack, route: Route
) -> None:
    unknown = uuid.uuid4()
    with CAST["other"](stack.base_url) as visitor:
        for row in rows_of(route.name):
            foreign = ask(visitor, route, row.method, visitor.operation.pk)
            assert foreign.status_code == 404
            assert visitor.word not in foreign.text
            missing = ask(visitor, route, row.method, unknown)
            assert comparable(foreign, visitor.operation.pk) == comparable(missing, unknown)


@pytest.mark.fault(19)
def test_the_websocket_tells_them_apart_no_more(stack: SecurityStack) -> None:
    with CAST["other"](stack.base_url) as visitor:
        said = []
        for operation in (visitor.operation, LiveOperation()):
            with Socket(stack.base_url, visitor.cookie) as socket:
                answer = socket.subscribe(visitor.token(operation))
                said.append((answer, socket.connection.close_reason))
        assert said == [("4404", "")] * 2


@pytest.mark.fault(19)
def test_a_client_without_session_learns_no_more(stack: SecurityStack) -> None:
    with CAST["other"](stack.base_url) as visitor:
        tokens = [visitor.client_token(each) for each in (visitor.operation, LiveOperation())]
        assert [answer_to(stack.base_url, "", token) for token in tokens] == ["4404"] * 2


@pytest.mark.fault(19)
def test_how_long_the_answer_takes_is_measured(stack: SecurityStack, figures: Figures) -> None:
    live = next(route for route in ROUTES if route.name == "liveops:live")
    with CAST["other"](stack.base_url) as visitor:
        seconds: dict[str, list[float]] = {"foreign": [], "unknown": []}
        for _ in range(TRIES):
            for which, key in (("foreign", visitor.operation.pk), ("unknown", uuid.uuid4())):
                began = time.perf_counter()
                assert ask(visitor, live, "GET", key).status_code == 404
                seconds[which].append(time.perf_counter() - began)
    for which, times in seconds.items():
        spread = statistics.quantiles(times)
        figures.note(
            f"{which}: median {statistics.median(times) * 1000:.1f} ms, "
            f"middle half {spread[0] * 1000:.1f} to {spread[2] * 1000:.1f} ms ({TRIES} tries)"
        )
