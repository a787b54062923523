"""People change their password themselves; what they have open elsewhere ends."""

import logging

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db
OLD, NEW = "an old pass phrase", "a new pass phrase"


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", password=OLD)


@pytest.fixture
def site(ann: User) -> Client:
    return signed_in(ann)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def change(client: Client, old: str = OLD, new: str = NEW, again: str | None = None) -> str:
    data = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(reverse("password_change"), data, follow=True).content.decode()


def test_every_page_leads_there(site: Client) -> None:
    assert f'href="{reverse("password_change")}"' in site.get("/").content.decode()


def test_it_is_for_those_who_are_signed_in() -> None:
    answer = Client().get(reverse("password_change"))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("login"))


def test_this_session_goes_on_and_every_other_one_ends(site: Client, ann: User) -> None:
    elsewhere = signed_in(ann)
    assert "Your password is changed" in change(site)
    assert site.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    ann.refresh_from_db()
    assert ann.check_password(NEW)


def test_the_session_gets_a_new_key(site: Client) -> None:
    before = site.cookies["sessionid"].value
    change(site)
    assert site.cookies["sessionid"].value != before


def test_it_is_noted_without_the_password(
    site: Client, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    change(site)
    assert f"password changed user={ann.pk} address=127.0.0.1" in caplog.text
    assert NEW not in caplog.text
    assert OLD not in caplog.text


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"old": "wrong"}, "Your old password was entered incorrectly."),
        ({"new": "short"}, "This password is too short."),
        ({"new": "password123"}, "This password is too common."),
        ({"new": "8675309867"}, "This password is entirely numeric."),
        ({"again": "another one"}, "The two password fields didn"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    site: Client, ann: User, sent: dict[str, str], words: str
) -> None:
    html = change(site, **sent)
    assert words in html
    assert 'class="field-errors"' in html
    assert 'aria-invalid="true"' in html
    ann.refresh_from_db()
    assert ann.check_password(OLD)


def test_a_name_is_no_password(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(username="annabelle-lee")
    ann.refresh_from_db()
    assert "The password is too similar to the username." in change(
        signed_in(ann), new="annabelle-lee1"
    )
