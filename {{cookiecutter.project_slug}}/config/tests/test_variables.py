"""Values of the environment that cannot work are refused, with a way out."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLResolver, get_resolver

from config.variables import TAKEN, admin_path, whole_number
from liveops.routing import websocket_urlpatterns

NAME = "SIGN_IN_FAILURES"


def read(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv(NAME, text)
    return whole_number(NAME, 5, least=1, most=1000)


@pytest.mark.parametrize(
    ("text", "value"), [("", 5), (" ", 5), ("1", 1), (" 7 ", 7), ("1000", 1000)]
)
def test_a_number_or_nothing(text: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(text, monkeypatch) == value


@pytest.mark.parametrize(
    "text", ["0", "-1", "1001", "five", "5.0", "5 minutes", "٣", "9" * 5000, "1e2", "0x5"]
)
def test_another_number_is_quoted_and_the_legal_ones_are_named(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(text, monkeypatch)
    assert str(refused.value) == (
        f"SIGN_IN_FAILURES is {text!r}. Set it to a whole number from 1 to 1000, "
        "or leave it out, which means 5."
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "admin/"),
        ("admin", "admin/"),
        ("/back-office/", "back-office/"),
        ("in/side", "in/side/"),
        ("operations-admin", "operations-admin/"),
    ],
)
def test_the_admin_may_be_anywhere(text: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PATH", text)
    assert admin_path() == path


@pytest.mark.parametrize(
    "text",
    ["/", "//", " ", "back office", "back//office", "../admin", "admin/..", "<path:x>", "a?b", "ä"],
)
def test_the_admin_needs_a_path(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PATH", text)
    with pytest.raises(ImproperlyConfigured) as refused:
        admin_path()
    assert f"ADMIN_PATH is {text!r}. Set it to a path of letters" in str(refused.value)


@pytest.mark.parametrize("text", ["operations", "/start/", "API/admin", "static/x", "ws"])
def test_the_admin_takes_no_other_page_s_place(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PATH", text)
    with pytest.raises(ImproperlyConfigured, match="the site has other pages below"):
        admin_path()


def test_no_page_is_forgotten_there() -> None:
    patterns = get_resolver().url_patterns
    inner = [
        pattern
        for entry in patterns
        if isinstance(entry, URLResolver) and str(entry.pattern) == ""
        for pattern in entry.url_patterns
    ]
    routes = [str(entry.pattern) for entry in [*patterns, *inner, *websocket_urlpatterns]]
    first_parts = {route.split("/")[0] for route in routes} - {"", "admin"}
    assert {"accounts", "operations", "csp-report"} <= first_parts <= TAKEN
