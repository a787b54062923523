"""Lists, logs and downloads."""

from functools import partial

import pytest
from django.db import connection
from django.db.models import FileField
from django.db.models.fields.files import FieldFile
from django.test.utils import CaptureQueriesContext

from liveops.models import State
from liveops.tests.make import add_lines, make_operation, make_user
from tests.kinds.models import Chatter, Greeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(client):
    user = make_user()
    client.force_login(user)
    return user


class TestCatalogue:
    def test_shows_kinds_and_my_last_five(self, client, ann):
        make_operation(make_user("bob"), state=State.LOST)
        for _ in range(6):
            make_operation(ann)
        response = client.get("/")
        page = response.content.decode()
        assert "Logs numbered lines, as fast as it can or with pauses." in page
        assert 'href="/start/kinds.chatter/"' in page
        assert len(response.context["recent"]) == 5
        assert 'data-state="LOST"' not in page


class TestList:
    def keys(self, client, query=""):
        response = client.get(f"/operations/?fragment=rows{query}")
        return {operation.pk for operation in response.context["operations"]}

    def test_mine_only(self, client, ann):
        mine = make_operation(ann)
        make_operation(make_user("bob"))
        assert self.keys(client) == {mine.pk}

    def test_filters(self, client, ann):
        greeting = make_operation(ann, state=State.FAILED)
        chatter = make_operation(ann, kind=Chatter, state=State.FAILED)
        queued = make_operation(ann)
        everything = {greeting.pk, chatter.pk, queued.pk}
        assert self.keys(client, "&kind=kinds.greeting") == {greeting.pk, queued.pk}
        assert self.keys(client, "&state=FAILED") == {greeting.pk, chatter.pk}
        assert self.keys(client, "&kind=kinds.greeting&state=FAILED") == {greeting.pk}
        assert self.keys(client, "&state=LOST") == set()
        assert self.keys(client, "&kind=x.y&state=%00") == everything

    def test_pages_of_50_in_few_queries(self, client, ann, django_assert_max_num_queries):
        for number in range(51):
            make_operation(ann, status_text=f"<{number}>")
        # One of them for the group that a kind asks for.
        with django_assert_max_num_queries(5):
            response = client.get("/operations/")
        assert response.content.count(b"<tr id=") == 50
        assert b"Page 1\n" in response.content
        assert b'rel="next"' in response.content
        assert b"&lt;50&gt;" in response.content
        second = client.get("/operations/?page=2").content
        assert second.count(b"<tr id=") == 1
        assert b"&lt;0&gt;" in second
        assert b'rel="prev"' in second
        assert b'rel="next"' not in second
        assert client.get("/operations/?page=last").content.count(b"<tr id=") == 1

    @pytest.mark.parametrize("page", ["0", "-1", "2", "x", "9" * 18, "9" * 4_000, "9" * 5_000])
    def test_a_page_that_is_not_there(self, client, ann, page):
        for _ in range(50):
            make_operation(ann)
        assert client.get(f"/operations/?page={page}").status_code == 404

    def test_the_operations_are_not_counted(self, client, ann):
        make_operation(ann)
        with CaptureQueriesContext(connection) as queries:
            client.get("/operations/")
        assert not [query["sql"] for query in queries if "COUNT(" in query["sql"]]

    def test_the_rows_alone_are_no_page(self, client, ann):
        make_operation(ann)
        rows = client.get("/operations/?fragment=rows").content.decode()
        assert rows.count("<tr id=") == 1
        assert "<html" not in rows
        assert "<html" in client.get("/operations/").content.decode()

    def test_rows_that_did_not_change_are_not_sent_again(self, client, ann):
        operation = make_operation(ann, state=State.RUNNING, percent=1)
        first = client.get("/operations/?fragment=rows")
        etag = {"If-None-Match": first["ETag"]}
        again = client.get("/operations/?fragment=rows", headers=etag)
        assert (again.status_code, again.content) == (304, b"")
        operation.percent = 60
        operation.save()
        changed = client.get("/operations/?fragment=rows", headers=etag)
        assert changed.status_code == 200
        assert b"60 %" in changed.content

    def test_nothing_yet(self, client, ann):
        assert b"You have not started anything yet." in client.get("/operations/").content
        filtered = client.get("/operations/?state=LOST").content
        assert b"No operation of yours matches this filter." in filtered


class TestLog:
    @pytest.fixture
    def operation(self, ann):
        operation = make_operation(ann, state=State.FAILED)
        add_lines(operation, "<b>first</b>", *[f"line {number}" for number in range(2, 1_101)])
        return operation

    def page(self, client, operation, query=""):
        return client.get(f"/operations/{operation.pk}/log/{query}")

    def test_pages(self, client, operation, django_assert_max_num_queries):
        with django_assert_max_num_queries(6):
            first = self.page(client, operation).content.decode()
        assert "&lt;b&gt;first&lt;/b&gt;" in first
        assert first.count("<li data-line=") == 500
        assert "Page 1 of 3" in first
        last = self.page(client, operation, "?page=3").content.decode()
        assert last.count("<li data-line=") == 100
        assert 'data-line="1100"' in last

    @pytest.mark.parametrize(("asked", "shown"), [("99", 3), ("x", 1), ("-1", 3)])
    def test_a_page_that_is_not_there(self, client, operation, asked, shown):
        response = self.page(client, operation, f"?page={asked}")
        assert f"Page {shown} of 3".encode() in response.content

    def test_an_earlier_attempt(self, client, operation):
        operation.restart()
        add_lines(operation, "new")
        assert b"new" in self.page(client, operation).content
        earlier = self.page(client, operation, "?attempt=1").content.decode()
        assert "line 2<" in earlier
        assert "new<" not in earlier

    @pytest.mark.parametrize("attempt", ["0", "2", "x", "-1", "9" * 5_000, "²"])
    def test_an_attempt_that_never_was(self, client, operation, attempt):
        assert self.page(client, operation, f"?attempt={attempt}").status_code == 404

    def test_an_empty_log(self, client, ann):
        page = self.page(client, make_operation(ann)).content
        assert b"Nothing was logged in this attempt." in page


async def body(response):
    assert response.streaming
    return b"".join([part async for part in response])


@pytest.mark.django_db(transaction=True)
class TestDownloads:
    """Under ASGI, where a download is streamed."""

    @pytest.fixture
    def operation(self):
        operation = make_operation(state=State.SUCCEEDED)
        add_lines(operation, "<b>ü</b>", *["x"] * 5_000)
        return operation

    @pytest.fixture
    def browser(self, async_client, operation):
        async_client.force_login(operation.owner)
        return async_client

    @pytest.fixture
    def made(self, monkeypatch, settings, tmp_path):
        """A file field `made` that may be downloaded, and `secret`, which may not."""
        settings.MEDIA_ROOT = tmp_path
        (tmp_path / "out").mkdir()
        for name in ("made", "secret"):
            path = f'out/{name} "ü".csv'
            field = property(partial(FieldFile, field=FileField(), name=path))
            monkeypatch.setattr(Greeting, name, field, raising=False)
            (tmp_path / path).write_bytes(b"<script>" * 100_000)
        monkeypatch.setattr(Greeting, "downloads", ("made",))
        return tmp_path / 'out/made "ü".csv'

    async def test_the_log_as_text(self, browser, operation):
        response = await browser.get(f"/operations/{operation.pk}/log.txt")
        lines = (await body(response)).decode().splitlines()
        assert len(lines) == 5_001
        assert lines[0] == "2023-11-14T22:13:20.000+00:00 info <b>ü</b>"
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        name = f"greeting-{operation.pk}-1.txt"
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "private, no-store"

    async def test_a_file_that_the_kind_offers(self, browser, operation, made):
        response = await browser.get(f"/operations/{operation.pk}/files/made/")
        assert await body(response) == made.read_bytes()
        assert response["Content-Type"] == "application/octet-stream"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''made")

    @pytest.mark.parametrize("field", ["secret", "nothing", "owner", "downloads", "__class__"])
    async def test_nothing_else(self, browser, operation, made, field):
        response = await browser.get(f"/operations/{operation.pk}/files/{field}/")
        assert response.status_code == 404

    async def test_a_file_that_is_gone(self, browser, operation, made):
        made.unlink()
        response = await browser.get(f"/operations/{operation.pk}/files/made/")
        assert response.status_code == 404
