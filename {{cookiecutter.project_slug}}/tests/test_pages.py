"""The pages as a browser without JavaScript gets them: readable, accessible, and inert."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from accounts.models import User
from liveops.models import LiveOperation, LogChunk, State
from liveops.models.log import LogLine
from tests.kinds.models import Greeting, Patient

HOSTILE = "<script>alert(1)</script>"
pytestmark = pytest.mark.django_db
VOID = {"input", "meta", "link", "br", "img"}


class Outline(HTMLParser):
    """What the accessibility of a page hangs on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann")


@pytest.fixture
def site(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def operation_of(user: User, **attributes: Any) -> Greeting:
    operation = Greeting(owner=user, **attributes)
    operation.submit(by=user)
    return operation


def pages(user: User) -> dict[str, str]:
    failed = operation_of(user, state=State.FAILED, error=HOSTILE, status_text=HOSTILE)
    return {
        "catalogue": reverse("liveops:catalogue"),
        "start": reverse("liveops:start", args=["operations.importcontacts"]),
        "live": failed.get_absolute_url(),
        "list": reverse("liveops:list"),
        "log": reverse("liveops:log", args=[failed.pk]),
    }


@pytest.mark.parametrize("name", ["catalogue", "start", "live", "list", "log"])
def test_a_page_is_well_formed_and_has_what_assistive_technology_needs(
    name: str, site: Client, ann: User
) -> None:
    html = site.get(pages(ann)[name]).content.decode()
    outline = Outline(html)
    assert outline.open == []
    assert outline.all("html")[0]["lang"] == "en"
    assert len(outline.all("h1")) == 1
    assert len(outline.all("main")) == 1
    assert outline.all("a")[0] == {"class": "skip-link", "href": "#content"}
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    described = " ".join(a.get("aria-describedby", "") for _, a in outline.tags).split()
    labelled = " ".join(a.get("aria-labelledby", "") for _, a in outline.tags).split()
    assert {*described, *labelled} <= set(ids)
    controls = [a for tag in ("input", "select", "textarea") for a in outline.all(tag)]
    visible = [control for control in controls if control.get("type") != "hidden"]
    labels = {label["for"] for label in outline.all("label") if "for" in label}
    wrapped = {"kind", "state"}
    assert all(c.get("id") in labels or c["name"] in wrapped for c in visible)
    assert all("aria-label" in bar for bar in outline.all("progress"))


@pytest.mark.parametrize("name", ["catalogue", "start", "live", "list", "log"])
def test_a_page_holds_nothing_that_the_content_security_policy_forbids(
    name: str, site: Client, ann: User
) -> None:
    html = site.get(pages(ann)[name]).content.decode()
    outline = Outline(html)
    assert HOSTILE not in html
    assert outline.all("style") == []
    assert all("src" in script for script in outline.all("script"))
    for tag, attributes in outline.tags:
        assert "style" not in attributes, tag
        assert not [attribute for attribute in attributes if attribute.startswith("on")], tag


def test_signing_in_explains_a_wrong_password() -> None:
    answer = Client().post(reverse("login"), {"username": "ann", "password": "wrong"})
    assert "Please enter a correct" in answer.content.decode()
    assert 'role="alert"' in answer.content.decode()


def test_signing_in_leads_back_to_where_one_wanted_to_go(ann: User) -> None:
    ann.set_password("a password")
    ann.save()
    answer = Client().get(reverse("liveops:list"), follow=True)
    assert '<input type="hidden" name="next" value="/operations/">' in answer.content.decode()


def test_the_catalogue_shows_what_i_may_start(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Import contacts" in site.get("/").content.decode()
    monkeypatch.setattr(Greeting, "required_group", "greeters")
    assert 'href="/start/kinds.greeting/"' not in site.get("/").content.decode()


def test_who_may_start_nothing_is_told_whom_to_ask(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liveops.views.pages.kinds", list)
    html = site.get("/").content.decode()
    assert "There is nothing that you may start." in html
    assert "mailto:admin@example.org" in html


def test_a_missing_group_is_explained_with_an_address(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Greeting, "required_group", "greeters")
    answer = site.get("/start/kinds.greeting/")
    assert answer.status_code == 403
    html = answer.content.decode()
    assert "You are signed in as <strong>ann</strong>" in html
    assert "mailto:admin@example.org" in html
    assert '<a href="/">Back to the start</a>' in html


def test_who_may_use_nothing_is_not_sent_round_in_circles(site: Client, settings: Any) -> None:
    settings.LIVEOPS = {**settings.LIVEOPS, "REQUIRED_GROUP": "operators"}
    answer = site.get("/")
    assert answer.status_code == 403
    html = answer.content.decode()
    assert "Back to the start" not in html
    assert "To use another account, sign out first." in html
    assert site.get(reverse("password_change")).status_code == 200


def test_an_unknown_address_is_readable(site: Client) -> None:
    answer = site.get("/nowhere/")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.content.decode()


def test_a_form_that_is_too_old_is_explained(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(reverse("login"), {"username": "ann"})
    assert answer.status_code == 403
    assert "send the form once more" in answer.content.decode()


@pytest.mark.parametrize("name", ["400", "413", "429", "500", "503", "403_csrf"])
def test_a_page_for_bad_times_needs_neither_request_nor_database(
    name: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        html = render_to_string(f"{name}.html")
    outline = Outline(html)
    assert outline.open == []
    assert len(outline.all("h1")) == 1
    assert outline.all("script") == []


def test_a_field_s_error_is_next_to_it_and_announced(site: Client) -> None:
    picture = SimpleUploadedFile("picture.png", b"not a picture")
    answer = site.post("/start/operations.importcontacts/", {"file": picture})
    html = answer.content.decode()
    field = next(a for a in Outline(html).all("input") if a.get("name") == "file")
    assert field["aria-invalid"] == "true"
    assert re.search(r'class="field-errors" id="id_file_error">.*png', html, re.DOTALL)


def test_the_list_is_empty_at_first(site: Client) -> None:
    assert "You have not started anything yet." in site.get("/operations/").content.decode()


def test_the_list_has_pages_of_fifty_that_keep_the_filter(site: Client, ann: User) -> None:
    for _ in range(51):
        operation_of(ann)
    html = site.get("/operations/?state=QUEUED").content.decode()
    assert html.count('<tr id="operation-') == 50
    assert 'rel="next"' in html
    assert "?state=QUEUED&amp;page=2" in html
    rows = site.get("/operations/?state=QUEUED&fragment=rows&page=2").content.decode()
    assert rows.count('<tr id="operation-') == 1
    assert "<html" not in rows
    assert "fragment" not in rows


def test_rows_that_did_not_change_are_not_sent_again(site: Client, ann: User) -> None:
    operation_of(ann)
    address = "/operations/?fragment=rows"
    etag = site.get(address).headers["ETag"]
    assert site.get(address, headers={"If-None-Match": etag}).status_code == 304
    operation_of(ann)
    assert site.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_the_log_page_shows_text_as_text(site: Client, ann: User) -> None:
    operation = operation_of(ann)
    lines = [
        LogLine(1_772_366_400_123, "warning", HOSTILE),
        LogLine(1_772_366_400_500, "info", "x"),
    ]
    for chunk in LogChunk.pack(attempt=1, seq=1, first_line=1, lines=lines, operation=operation):
        chunk.save()
    LiveOperation.objects.filter(pk=operation.pk).update(log_lines=2)
    html = site.get(reverse("liveops:log", args=[operation.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert 'data-line="1"' in html
    assert "12:00:00.123</time>" in html


def test_a_name_of_one_long_word_stays_text(site: Client, ann: User) -> None:
    operation = operation_of(ann, status_text="x" * 4_000)
    html = site.get(operation.get_absolute_url()).content.decode()
    assert "x" * 4_000 in html
    assert "x" * 4_000 not in site.get("/operations/").content.decode()


def test_a_kind_with_fields_of_its_own_is_listed_under_its_title(site: Client, ann: User) -> None:
    operation = Patient(owner=ann)
    operation.submit(by=ann)
    assert "Patient" in site.get("/operations/").content.decode()
