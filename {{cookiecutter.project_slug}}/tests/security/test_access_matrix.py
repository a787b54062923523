"""Who gets which answer from which address: every address of the site, for everyone."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType

from accounts.models import User
from liveops.models import LiveOperation, State
from tests.security.access import ROWS, Row, rows_of
from tests.security.cast import CAST, Visitor
from tests.security.credentials import CREDENTIALS, use
from tests.security.routes import Route, http_routes, websocket_routes
from tests.security.sockets import answer_to
from tests.security.stack import SecurityStack

HTTP = {route.name: route for route in http_routes()}
ALL = [*HTTP, *websocket_routes()]
FOR_BROWSERS = {"api:docs"}
REDIRECTS = {"login": "/accounts/login/?next=", "admin": "/admin/login/?next="}
# What the addresses that change something are asked to change.
BEFORE = {
    "liveops:cancel": State.RUNNING,
    "liveops:restart": State.FAILED,
    "api:cancel": State.RUNNING,
    "api:retry": State.FAILED,
}
SENT: dict[str, dict[str, Any]] = {
    "liveops:start": {"data": {"note": "started by the matrix"}},
    "api:start": {"json": {"note": "started by the matrix"}},
    "csp-report": {
        "content": '{"csp-report": {}}',
        "headers": {"Content-Type": "application/csp-report"},
    },
}
# Browsers send reports by themselves, without a token; who signs in to the API shows no cookie.
WITHOUT_CSRF = {"csp-report", "api:token", "api:jwt", "api:jwt_refresh"}
# A page that shows the operation shows its secret, to those who may see it.
SHOWS = {f"liveops:{name}" for name in ("live", "snapshot", "log", "log_text", "file")}
SHOWS |= {f"api:{name}" for name in ("operation", "cancel", "log", "log_text", "file")}
LISTS = {"liveops:catalogue", "liveops:list", "api:operations"}


def cases(*, websockets: bool) -> list[Any]:
    """Route, row, who asks, and with which credential; an API knows more than the session."""
    return [
        pytest.param(
            *(route, row, who, by),
            id=f"{row.method} {route} {who} {by}",
            marks=pytest.mark.route(route),
        )
        for route in ALL
        for row in rows_of(route)
        if (row.method == "WS") is websockets
        for who in CAST
        for by in ("session", *(CREDENTIALS if takes_credentials(route) else ()))
    ]


def takes_credentials(route: str) -> bool:
    return route.startswith("api:") and route not in FOR_BROWSERS


@pytest.mark.parametrize(
    "route", [pytest.param(route, marks=pytest.mark.route(route)) for route in ALL]
)
def test_every_address_has_a_row(route: str) -> None:
    assert rows_of(route), (
        f"{route!r} is in the URL configuration, but nobody has said who may use it: add a line "
        "for each of its methods to TABLE in tests/security/access.py, and to SENT in "
        "tests/security/test_access_matrix.py what a POST needs"
    )


def test_no_row_is_left_of_an_address_that_is_gone() -> None:
    needed = {row.route for route in ALL for row in rows_of(route)}
    assert {row.route for row in ROWS} == needed


@pytest.mark.parametrize(("route", "row", "who", "by"), cases(websockets=False))
def test_answer(stack: SecurityStack, route: str, row: Row, who: str, by: str) -> None:
    with CAST[who](stack.base_url) as visitor:
        if by in CREDENTIALS:
            use(visitor, by)
        operation = prepared(visitor, route)
        answer = visitor.http.request(
            row.method, path_of(HTTP[route], visitor), **SENT.get(route, {})
        )
        expected = row.answers[who]
        status, location = answer.status_code, answer.headers.get("Location", "")
        if expected in REDIRECTS:
            assert (status, location.startswith(REDIRECTS[expected])) == (302, True), location
        elif expected == "any":
            assert status < 500
        else:
            assert str(status) == expected
            assert not location.startswith(tuple(REDIRECTS.values()))
        is_let_in = expected in {"200", "201", "204", "302", "any"}
        if who != "superuser":
            sees = visitor.word in answer.text
            assert sees is may_see(route, who, is_let_in)
        after = LiveOperation.objects.get(pk=operation.pk)
        assert is_let_in or is_untouched(operation, after)


@pytest.mark.parametrize(("route", "row", "who", "by"), cases(websockets=True))
def test_answer_of_the_websocket(
    stack: SecurityStack, route: str, row: Row, who: str, by: str
) -> None:
    """Each comes with a token that was made for them, as if the token's view had not asked."""
    path = f"/{route.removeprefix('ws:') or 'ws/elsewhere/'}"
    with CAST[who](stack.base_url) as visitor:
        answer = answer_to(stack.base_url, visitor.cookie, visitor.token(), path=path)
        assert answer == row.answers[who]


@pytest.mark.parametrize("route", [row.route for row in ROWS if row.method == "POST"])
def test_no_post_works_without_its_csrf_token(stack: SecurityStack, route: str) -> None:
    for name in {name for name in HTTP if rows_of(name)[0].route == route} - WITHOUT_CSRF:
        with CAST["owner"](stack.base_url) as visitor:
            operation = prepared(visitor, name)
            del visitor.http.headers["X-CSRFToken"]
            path = path_of(HTTP[name], visitor)
            answer = visitor.http.post(path, **SENT.get(name, {}))
            assert answer.status_code == 403, path
            assert is_untouched(operation, LiveOperation.objects.get(pk=operation.pk))


@pytest.mark.parametrize("route", [name for name in HTTP if not name.startswith("admin")])
def test_other_methods_change_nothing(stack: SecurityStack, route: str) -> None:
    known = {row.method for row in rows_of(route)}
    with CAST["owner"](stack.base_url) as visitor:
        operation = prepared(visitor, route)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
            answer = visitor.http.request(method, path_of(HTTP[route], visitor))
            assert answer.status_code < 500, f"{method} {answer.url}"
        assert list(LiveOperation.objects.filter(owner=visitor.user)) == [operation]
        assert is_untouched(operation, LiveOperation.objects.get(pk=operation.pk))


def may_see(route: str, who: str, is_let_in: bool) -> bool:
    """Lists show what their reader may open, and the pages of an operation what it says."""
    return who == "owner" if route in LISTS else is_let_in and route in SHOWS


def prepared(visitor: Visitor, route: str) -> LiveOperation:
    if route in BEFORE:
        LiveOperation.objects.filter(pk=visitor.operation.pk).update(state=BEFORE[route])
    return LiveOperation.objects.get(pk=visitor.operation.pk)


def is_untouched(before: LiveOperation, after: LiveOperation) -> bool:
    names = ("state", "attempt", "seq", "cancel_requested_at", "owner_id")
    return all(getattr(before, name) == getattr(after, name) for name in names)


def path_of(route: Route, visitor: Visitor) -> str:
    operation = visitor.operation
    values = {
        "pk": operation.pk,
        "kind": operation.kind,
        "field": "report",
        "app_label": "liveops",
        "content_type_id": ContentType.objects.get_for_model(User).pk,
        "url": "nowhere",
        "id": operation.owner.pk,
        "object_id": object_of(route.pattern, operation).pk,
    }
    return route.path(values)


def object_of(pattern: str, operation: LiveOperation) -> Any:
    """What an admin page of this pattern is about."""
    found = re.match(r"admin/(\w+)/(\w+)/<", pattern)
    match found.groups() if found else None:
        case "auth", "group":
            return Group.objects.get_or_create(name="Watched")[0]
        case "accounts", "user":
            return operation.owner
        case "operations", "contact":
            contacts = apps.get_model("operations", "contact")._default_manager
            return contacts.get_or_create(email="watched@example.org", owner=operation.owner)[0]
    return operation
