"""What comes in from outside: forms, files, names, addresses; shown inert wherever it comes up."""

import re
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import parse_qs, quote, unquote, urlencode

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Page

from accounts.models import User
from liveops.models import OperationEvent, State
from liveops.tests.make import add_lines, make_operation
from tests.client import SiteClient
from tests.faults.browsing import sign_in
from tests.kinds.parrot import FIELDS_AT_ONCE, TITLE_FILE, Parrot, Titled
from tests.security.canary import STRAYS, Canary, aside
from tests.security.cast import session_of
from tests.security.promises import Figures
from tests.security.stack import SITE_GROUP, SecurityStack
from tests.security.texts import ATTRIBUTES, HYPHENS, MEGABYTE, TEXTS, Text, together

pytestmark = pytest.mark.fault(14)

LONGEST_NAME = 150


@pytest.fixture
def canary(page: Page, stack: SecurityStack) -> Iterator[Canary]:
    watching = Canary(page.context, stack)
    yield watching
    watching.assert_silent()


@pytest.fixture
def member(new_member: Callable[[], SiteClient]) -> SiteClient:
    return aside(new_member)


@pytest.fixture
def root(page: Page, stack: SecurityStack) -> User:
    """A superuser, signed in to the page."""

    def make() -> tuple[User, str]:
        user = User.objects.create_superuser(f"root-{secrets.token_hex(4)}")
        return user, session_of(user)

    user, key = aside(make)
    use_session(page, stack, key)
    return user


def use_session(page: Page, stack: SecurityStack, key: str) -> None:
    page.context.add_cookies([{"name": "sessionid", "value": key, "url": stack.base_url}])


def groups_of(texts: list[Text], size: int) -> Iterator[list[Text]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def in_a_form(text: str) -> str:
    """A text area's value: one kind of line break, and no NUL."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


FILL = """
([kind, values]) => values.forEach((value, number) => {
  document.querySelector(`[name=${kind}${number}]`).value = value;
})
"""
VALUES = "fields => fields.map(field => field.value)"
MANY = """
() => {
  const form = document.querySelector("form.start");
  form.noValidate = true;
  form.insertAdjacentElement("beforeend", Object.assign(document.createElement("input"),
    {type: "hidden", name: "many", value: "1"}));
  form.submit();
}
"""


def test_start_form_shown_again(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """What was typed comes back in its field; what was no choice, in the error."""
    sign_in(page, member)
    page.goto(f"{stack.base_url}/start/kinds.parrot/")
    with page.expect_navigation():
        page.evaluate(MANY)
    for texts in groups_of([*TEXTS, MEGABYTE], FIELDS_AT_ONCE):
        typed = [each.stored for each in texts]
        page.evaluate(FILL, ["text", typed])
        page.evaluate(FILL, ["choice", typed])
        with page.expect_navigation():
            page.evaluate(MANY)
        again = page.locator("textarea[name^=text]").evaluate_all(VALUES)[: len(texts)]
        assert again == [in_a_form(text) for text in typed]
        check_errors(page, texts)
        canary.assert_only_text(page, "textarea")
        figures.inputs += 3 * len(texts)


def check_errors(page: Page, texts: list[Text]) -> None:
    errors = page.evaluate(
        """() => [...document.querySelectorAll("[name^=choice]")].map(
          (field) => document.getElementById(`${field.id}_error`)?.textContent.trim() ?? "")"""
    )
    for each, error in zip(texts, errors, strict=False):
        # A field of one line takes no line breaks.
        if each is not MEGABYTE and not set("\r\n") & set(each.text):
            said = f"Select a valid choice. {each.shown} is not one of the available choices."
            assert error == said


def test_names_of_uploads(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """The error says what the file's name ends with."""
    sign_in(page, member)
    page.goto(f"{stack.base_url}/start/kinds.parrot/")
    with page.expect_navigation():
        page.evaluate(MANY)
    for texts in groups_of(TEXTS, FIELDS_AT_ONCE):
        for number, each in enumerate(texts):
            name = f"{each.stored[:100]}.{each.stored[-20:]}"
            file: Any = {"name": name, "mimeType": "text/plain", "buffer": b"x"}
            page.locator(f"[name=upload{number}]").set_input_files(file)
        with page.expect_navigation():
            page.evaluate(MANY)
        errors = page.locator(".field-errors").filter(has_text="Files of the type “")
        # Some names are none once the folder is cut off.
        assert errors.count() > len(texts) / 2
        canary.assert_only_text(page, ".errorlist li")
        figures.inputs += len(texts)


def test_names_of_downloads(stack: SecurityStack, member: SiteClient, figures: Figures) -> None:
    """Whatever a file is called, its name stays within its header, and nothing is shown inline."""
    owner = User.objects.get(username=member.username)
    operation = aside(lambda: make_operation(owner, Parrot, State.SUCCEEDED))
    folder = stack.folder / "media" / str(operation.pk)
    folder.mkdir(parents=True)
    for each in TEXTS:
        name = each.stored.replace("/", "|").encode()[:200].decode(errors="ignore").strip(".")
        (folder / name).write_bytes(b"<script>canary(1)</script>")
        Parrot.objects.filter(pk=operation.pk).update(file=f"{operation.pk}/{name}"[:100])
        answer = member.http.get(f"/operations/{operation.pk}/files/file/")
        if len(f"{operation.pk}/{name}") <= 100:
            assert answer.status_code == 200, name
            assert file_name_of(answer.headers["Content-Disposition"]) == name
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            figures.inputs += 1


def file_name_of(disposition: str) -> str:
    """By RFC 6266."""
    kind, _, rest = disposition.partition("; ")
    assert kind == "attachment"
    if rest.startswith("filename*=utf-8''"):
        return unquote(rest.removeprefix("filename*=utf-8''"))
    assert rest.startswith('filename="')
    assert rest.endswith('"')
    return re.sub(r"\\(.)", r"\1", rest.removeprefix('filename="')[:-1])


def test_user_names(
    page: Page, stack: SecurityStack, canary: Canary, root: User, figures: Figures
) -> None:
    """On the page that refuses somebody, in the head of each page, and in the admin's list."""
    groups = list(
        together([each for each in TEXTS if len(each.stored) <= LONGEST_NAME], LONGEST_NAME)
    )
    names = [HYPHENS.join(each.stored for each in texts) for texts in groups]
    keys = aside(lambda: list(map(session_of, make_users(names))))
    for start in range(1, 2 + len(names) // 100):
        page.goto(f"{stack.base_url}/admin/accounts/user/?o=-4&p={start}")
        listed = page.locator("th.field-username").all_text_contents()
        assert set(listed) - {root.username} <= known_names()
    for texts, key in zip(groups, keys, strict=True):
        use_session(page, stack, key)
        page.goto(f"{stack.base_url}/operations/")
        shown = HYPHENS.join(each.shown for each in texts)
        assert page.locator(".notice strong").text_content() == shown
        assert page.locator(".sign-out button").get_attribute("title") == shown
        canary.assert_only_text(page, ".notice strong")
        figures.inputs += 3 * len(texts)


def known_names() -> set[str]:
    """As HTML has them: with one kind of line break."""
    return set(map(in_a_form, User.objects.values_list("username", flat=True)))


def make_users(names: list[str]) -> list[User]:
    """They are in no group."""
    return User.objects.bulk_create([User(username=name) for name in names])


def test_sign_in_form(page: Page, stack: SecurityStack, canary: Canary, figures: Figures) -> None:
    """The name that was refused, and where to go afterwards."""
    page.goto(f"{stack.base_url}/accounts/login/")
    for texts in together(TEXTS):
        text = HYPHENS.join(each.stored for each in texts)
        send(page, "/accounts/login/", text)
        typed = page.locator("[name=username]").input_value()
        assert typed == re.sub(r"[\r\n]", "", text)
        figures.inputs += len(texts)
    for each in ATTRIBUTES:
        send(page, f"/accounts/login/?next={quote(each.stored)}", each.stored)
        goes_to = page.locator("[name=next]").input_value()
        assert goes_to == "" or is_of_this_site(page, goes_to)
        figures.inputs += 1


def send(page: Page, address: str, name: str) -> None:
    with page.expect_navigation():
        page.evaluate(SIGN_IN, [address, name])


SIGN_IN = """
([address, name]) => {
  const form = document.querySelector(".sign-in form");
  form.noValidate = true;
  form.setAttribute("action", address);
  const field = form.querySelector("[name=username]");
  field.maxLength = 10000;
  field.value = name;
  form.submit();
}
"""


def is_of_this_site(page: Page, address: str) -> bool:
    return bool(page.evaluate("address => new URL(address, location).origin === origin", address))


NAMES = ("kind", "state", "fragment ", "x")


def test_questions_of_the_list(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    """The page repeats its query where it asks for its rows."""
    sign_in(page, member)
    for texts in groups_of([each for each in TEXTS if len(each.text) < 1000], 12):
        answer = page.goto(f"{stack.base_url}/operations/?{urlencode({'page': texts[0].stored})}")
        assert answer is not None
        assert answer.status == 404
        query = urlencode([(name, each.stored) for each in texts for name in NAMES])
        page.goto(f"{stack.base_url}/operations/?{query}")
        source = page.locator("live-list").get_attribute("src") or ""
        asked = parse_qs(source.removeprefix("?"), keep_blank_values=True)
        for name in NAMES:
            assert asked[name] == [each.stored for each in texts]
            figures.inputs += len(texts)
        assert page.locator("select[name=kind]").input_value() == ""
        figures.inputs += 1


def test_list_of_operations(
    page: Page, stack: SecurityStack, member: SiteClient, canary: Canary, figures: Figures
) -> None:
    texts = [*TEXTS, MEGABYTE]

    def make() -> None:
        owner = User.objects.get(username=member.username)
        for each in texts:
            make_operation(owner, Titled, State.FAILED, error=each.stored)
            make_operation(owner, Titled, State.SUCCEEDED, status_text=each.stored)

    aside(make)
    sign_in(page, member)
    seen: list[str] = []
    for number in range(1, 2 + 2 * len(texts) // 50):
        page.goto(f"{stack.base_url}/operations/?page={number}")
        seen += page.locator(".operations small[dir]").all_text_contents()
        canary.assert_only_text(page, ".operations small")
    assert len(seen) == 2 * len(texts)
    # Django composes letters before it cuts.
    short = [normalize("NFC", each.shown) for each in texts if len(each.text) <= 119]
    assert sorted(short * 2) == sorted(text for text in seen if text in set(short))
    figures.inputs += len(seen)


def test_titles(
    page: Page, stack: SecurityStack, root: User, canary: Canary, figures: Figures
) -> None:
    """Of a kind, many texts at a time: wherever a title or a description stands."""
    group = Group.objects.get_or_create(name=SITE_GROUP)[0]
    aside(lambda: root.groups.add(group))
    operation = aside(lambda: make_operation(root, Titled, State.SUCCEEDED))
    title_file: Path = stack.folder / TITLE_FILE
    try:
        for texts in together(TEXTS):
            title_file.write_bytes(HYPHENS.join(each.stored for each in texts).encode())
            check_titles(page, stack, operation, HYPHENS.join(each.shown for each in texts))
            figures.inputs += 8 * len(texts)
    finally:
        title_file.unlink()


def check_titles(page: Page, stack: SecurityStack, operation: Any, shown: str) -> None:
    def on(path: str, *places: str) -> None:
        answer = page.goto(f"{stack.base_url}{path}")
        assert answer is not None
        assert answer.status == 200
        for place in places:
            assert shown in page.locator(place).all_text_contents(), place
        assert page.evaluate(STRAYS, "h1, title, .catalogue h2 a, .catalogue p, option") == []

    head = (".page-head h1", ".page-head p")
    on("/", ".catalogue h2 a", ".catalogue p")
    on("/operations/", "option")
    on("/start/kinds.titled/", *head)
    on(f"/operations/{operation.pk}/", *head)
    on(f"/operations/{operation.pk}/log/", ".page-head a >> nth=0")
    on("/admin/liveops/liveoperation/", "th.field-titled a >> nth=0")
    on(f"/admin/liveops/liveoperation/{operation.pk}/change/")
    assert page.locator(".field-titled .readonly").text_content() == shown.replace("\n", "")
    answer = page.request.get(f"{stack.base_url}/operations/{operation.pk}/log.txt")
    assert answer.status == 200
    assert len(answer.headers["content-disposition"]) < 200


def test_admin(
    page: Page, stack: SecurityStack, root: User, canary: Canary, figures: Figures
) -> None:
    """Everything that an operation has, its log, and who did what to it."""
    for texts in together(TEXTS):
        text = HYPHENS.join(each.stored for each in texts)
        shown = HYPHENS.join(each.shown for each in texts).replace("\n", "")
        operation = aside(partial(make_told, root, text))
        page.goto(f"{stack.base_url}/admin/liveops/liveoperation/{operation.pk}/change/")
        for place in ("error", "status_text"):
            assert page.locator(f".field-{place} .readonly").text_content() == shown
        assert shown in (page.locator(".field-inputs").text_content() or "").replace("\n", "")
        pre = page.locator(".field-traceback_text pre").text_content() or ""
        assert pre.replace("\n", "") == shown
        canary.assert_only_text(page, ".readonly pre, .field-error .readonly")
        figures.inputs += 7 * len(texts)


def make_told(owner: User, text: str) -> Any:
    operation = make_operation(
        owner,
        Parrot,
        State.FAILED,
        own={"note": text},
        error=text,
        status_text=text,
        traceback=text,
        result_context={text: text},
        tracking={"label": text, "unit": text},
        stage_states={text: {"state": "done", "started": 1.0, "seconds": 1.0}},
        regions={"#said": text},
    )
    add_lines(operation, text)
    return operation


def test_audit_in_the_admin(
    page: Page, stack: SecurityStack, root: User, canary: Canary, figures: Figures
) -> None:
    def make() -> Any:
        operation = make_operation(root, Titled, State.FAILED)
        users = make_users([f"{n} {each.stored}"[:LONGEST_NAME] for n, each in enumerate(TEXTS)])
        OperationEvent.objects.bulk_create(
            OperationEvent(
                operation=operation, user=user, attempt=1, to_state="FAILED", why=each.stored[:200]
            )
            for user, each in zip(users, TEXTS, strict=True)
        )
        return operation

    operation = aside(make)
    page.goto(f"{stack.base_url}/admin/liveops/liveoperation/{operation.pk}/change/")
    seen = [text.strip() for text in page.locator("td.field-why p").all_text_contents()]
    assert (
        sorted(
            {
                each.stored[:200]
                .replace("\r\n", "\n")
                .replace("\r", "\n")
                .replace("\n", "")
                .strip()
                for each in TEXTS
            }
            - set(seen)
        )
        == []
    )
    canary.assert_only_text(page, "td.field-why p")
    figures.inputs += 2 * len(TEXTS)


def test_questions_of_the_admin(
    page: Page, stack: SecurityStack, root: User, canary: Canary, figures: Figures
) -> None:
    for texts in together([each for each in TEXTS if len(each.text) < 1000], 2_000):
        text = HYPHENS.join(each.stored for each in texts).replace("\ufffd", "")
        query = urlencode({"q": text})
        page.goto(f"{stack.base_url}/admin/liveops/liveoperation/?{query}")
        typed = page.locator("#searchbar").input_value()
        assert typed == re.sub(r"[\r\n]", "", text)
        figures.inputs += len(texts)
