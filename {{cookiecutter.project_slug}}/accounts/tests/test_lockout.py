"""Failures to sign in are counted, for each name and address, and end in a pause."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.lockout import duration
from accounts.models import User
from accounts.sign_in import ip_address

pytestmark = pytest.mark.django_db
LIMIT = 3


@pytest.fixture(autouse=True)
def counted(settings: Any) -> None:
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = LIMIT
    settings.AXES_COOLOFF_TIME = timedelta(minutes=10)


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", password="correct")


def sign_in(name: str = "ann", *, address: str = "192.0.2.1", **how: Any) -> Any:
    data = {"username": name, "password": how.pop("password", "wrong")}
    return Client(REMOTE_ADDR=address).post(how.pop("path", reverse("login")), data, **how)


def fail(times: int = LIMIT, **how: Any) -> list[int]:
    return [sign_in(**how).status_code for _ in range(times)]


def test_after_too_many_failures_the_right_password_is_refused_too(ann: User) -> None:
    assert fail() == [200, 200, 429]
    answer = sign_in(password="correct")
    assert answer.status_code == 429
    assert "sessionid" not in answer.cookies


def test_the_page_says_how_long_and_whom_to_ask(ann: User) -> None:
    fail()
    answer = sign_in()
    html = answer.content.decode()
    assert "for <strong>10 minutes</strong>" in html
    assert "mailto:admin@example.org" in html
    assert 590 < int(answer.headers["Retry-After"]) <= 600
    assert answer.headers["Cache-Control"] == "no-store"


def test_who_asks_for_json_gets_it(ann: User) -> None:
    fail()
    answer = sign_in(headers={"Accept": "application/json"})
    assert answer.status_code == 429
    assert "Try again in 10 minutes" in answer.json()["detail"]
    assert answer.headers["Retry-After"]


def test_the_admin_counts_with_the_site(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_staff=True)
    fail(LIMIT - 1)
    assert fail(1, path=reverse("admin:login")) == [429]
    assert sign_in(password="correct").status_code == 429


def test_others_are_not_kept_out(ann: User) -> None:
    User.objects.create_user("bob", password="correct")
    fail()
    assert sign_in("bob", password="correct").status_code == 302
    assert sign_in(password="correct", address="192.0.2.2").status_code == 302


def test_another_browser_at_the_same_address_counts_with_the_first(ann: User) -> None:
    agents = [{"User-Agent": f"agent {number}"} for number in range(LIMIT)]
    assert [sign_in(headers=agent).status_code for agent in agents] == [200, 200, 429]


def test_the_pause_ends_and_trying_on_does_not_make_it_longer(ann: User) -> None:
    fail()
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=9))
    answer = sign_in()
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) <= 60
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=1))
    assert sign_in(password="correct").status_code == 302


def test_the_pause_ends_when_enough_failures_are_old(ann: User) -> None:
    fail(1, headers={"User-Agent": "one"})
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=8))
    fail(LIMIT - 1, headers={"User-Agent": "two"})
    assert int(sign_in().headers["Retry-After"]) <= 120


def test_success_forgets_the_failures_before(ann: User) -> None:
    fail(LIMIT - 1)
    assert sign_in(password="correct").status_code == 302
    assert fail(LIMIT - 1) == [200, 200]


def text_for(name: str, **how: Any) -> str:
    html: str = sign_in(name, **how).content.decode()
    values = [name, sign_in_token(html)]
    for value in filter(None, values):
        html = html.replace(value, "…")
    return html


def sign_in_token(html: str) -> str:
    return html.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def test_an_unknown_name_is_answered_like_a_known_one(ann: User) -> None:
    User.objects.create_user("carl", password="correct", is_active=False)
    texts = [
        text_for("ann"),
        text_for("stranger"),
        text_for("carl"),
        text_for("carl", password="correct"),
    ]
    assert "Please enter a correct username and password" in texts[0]
    assert len(set(texts)) == 1
    assert fail(name="stranger")[-1] == 429
    fail(name="ann")
    assert text_for("ann") == text_for("stranger")


@pytest.mark.parametrize("name", ["ann", "stranger", "carl"])
def test_a_password_is_hashed_once_whoever_it_is(
    ann: User, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("carl", password="correct", is_active=False)
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    sign_in(name)
    assert hashed == ["wrong"]


@pytest.mark.parametrize("name", ["\0", "x\0y", "\ud800", "x" * 10_000, "\uff41nn", ""])
def test_no_name_is_too_strange(ann: User, name: str) -> None:
    assert fail(2, name=name.encode(errors="replace").decode()) == [200, 200]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("2001:db8:1:3::9", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_who_has_many_ipv6_addresses_has_one_here(address: str, counted: str) -> None:
    assert ip_address(RequestFactory().get("/", REMOTE_ADDR=address)) == counted


@pytest.mark.parametrize("address", ["", "unknown", "192.0.2.1, 10.0.0.1", "<script>"])
def test_what_is_no_address_is_taken_for_none(address: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    assert ip_address(request) is None
    assert fail(address=address)[-1] == 429


def test_what_was_typed_is_recorded_nowhere(ann: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fail(LIMIT + 1, name="my-passphrase", password="my-password")
    fail(LIMIT + 1, password="my-password")
    rows = AccessAttempt.objects.values()
    assert len(rows) == 2
    for secret in ("my-passphrase", "my-password"):
        assert secret not in str(list(rows))
        assert secret not in caplog.text
    assert "ann" not in str([row["username"] for row in rows])


def test_the_audit_log_says_whose_account_was_tried_from_where(
    ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "liveops.audit")
    fail()
    fail(1, name="stranger")
    sign_in(password="correct", address="2001:db8::1")
    assert [each.getMessage() for each in caplog.records if each.name == "liveops.audit"] == [
        *[f"sign-in failed user={ann.pk} address=192.0.2.1"] * (LIMIT - 1),
        f"sign-in locked user={ann.pk} address=192.0.2.1",
        "sign-in failed address=192.0.2.1",
        f"signed in user={ann.pk} address=2001:db8::1",
    ]


def test_a_command_lets_somebody_in_again(ann: User, capsys: pytest.CaptureFixture[str]) -> None:
    fail()
    call_command("let_in", "ann")
    assert capsys.readouterr().out == "ann may sign in again.\n"
    assert sign_in(password="correct").status_code == 302
    with pytest.raises(CommandError, match="There is no user 'Ann'"):
        call_command("let_in", "Ann")


def test_an_admin_lets_somebody_in_again(ann: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "liveops.audit")
    fail()
    root = User.objects.create_superuser("root")
    admin = Client()
    admin.force_login(root)
    data = {"action": "let_in", "_selected_action": [ann.pk]}
    answer = admin.post(reverse("admin:accounts_user_changelist"), data, follow=True)
    assert "Their failed attempts are forgotten." in answer.content.decode()
    assert sign_in(password="correct").status_code == 302
    assert f"sign-in released user={root.pk} address=127.0.0.1 account={ann.pk}" in caplog.messages


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (60, "60 seconds"),
        (61, "2 minutes"),
        (3600, "60 minutes"),
        (3601, "2 hours"),
    ],
)
def test_a_wait_is_rounded_up(seconds: int, text: str) -> None:
    assert duration(seconds) == text
