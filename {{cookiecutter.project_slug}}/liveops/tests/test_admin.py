"""Operations in the admin site: staff see everything, edit nothing, cancel and retry."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from liveops.models import LiveOperation, LogChunk, OperationEvent, State
from liveops.tests.make import add_lines, make_operation, make_user
from tests.kinds.models import Chatter, Patient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("layer")]

LIST = "/admin/liveops/liveoperation/"


@pytest.fixture
def ann():
    return make_user()


@pytest.fixture
def sue(client):
    user = make_user("sue", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def staff_with(client, *codenames):
    user = make_user("stan", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def detail(operation, action="change"):
    return f"{LIST}{operation.pk}/{action}/"


def act(client, action, *operations, **data):
    keys = [operation.pk for operation in operations]
    form = {"action": action, "_selected_action": keys, **data}
    response = client.post(LIST, form, follow=True)
    told = [str(message) for message in response.context.get("messages", [])]
    return response, told


class TestList:
    def keys(self, client, query):
        result = client.get(f"{LIST}?{query}").context["cl"].result_list
        return {operation.pk for operation in result}

    def test_columns(self, client, sue, ann):
        make_operation(ann, kind=Chatter, state=State.RUNNING, percent=41.7, attempt=3)
        page = client.get(LIST).content.decode()
        for cell in (">Chatter</a>", ">ann</td>", ">Running</td>", ">3</td>", ">42 %</td>"):
            assert cell in page

    def test_filters(self, client, sue, ann):
        chatter = make_operation(ann, kind=Chatter, state=State.FAILED)
        greeting = make_operation(ann)
        assert self.keys(client, "kind=kinds.chatter") == {chatter.pk}
        assert self.keys(client, "state__exact=QUEUED") == {greeting.pk}
        assert self.keys(client, "") == {chatter.pk, greeting.pk}

    @pytest.mark.parametrize("made_of", [str, lambda key: f"  {key.hex}  "])
    def test_search_by_id(self, client, sue, ann, made_of):
        wanted, _other = make_operation(ann), make_operation(ann)
        assert self.keys(client, f"q={made_of(wanted.pk)}") == {wanted.pk}

    def test_search_by_owner(self, client, sue, ann):
        wanted, _other = make_operation(ann), make_operation(make_user("bob"))
        assert self.keys(client, "q=AN") == {wanted.pk}
        assert self.keys(client, "q=nobody") == set()

    def test_more_rows_need_no_more_queries_and_no_large_columns(self, client, sue, ann):
        def queries():
            with CaptureQueriesContext(connection) as captured:
                client.get(LIST)
            return [query["sql"] for query in captured]

        make_operation(ann)
        before = len(queries())
        for number in range(8):
            make_operation(make_user(f"user{number}"), kind=Chatter)
        after = queries()
        assert len(after) == before
        assert not any("traceback" in sql or "logchunk" in sql for sql in after)


class TestDetail:
    def test_shows_everything_and_nothing_can_be_edited(self, client, sue, ann):
        operation = make_operation(
            ann,
            kind=Chatter,
            state=State.FAILED,
            own={"lines": 4321},
            error="<b>no luck</b>",
            traceback="Traceback <i>line</i>",
            result_context={"a": "<u>"},
            regions={"#a": "<script>"},
        )
        add_lines(operation, "<script>alert(1)</script>", *["x"] * 299, "the last")
        page = client.get(detail(operation)).content.decode()
        for text in ("&lt;b&gt;no luck", "Traceback &lt;i&gt;", "lines: 4321", "&lt;u&gt;"):
            assert text in page
        assert "301 2023-11-14T22:13:20.300+00:00 info the last" in page
        assert "102 2023" in page
        assert "101 2023" not in page
        assert "alert(1)" not in page
        form = page[page.index('id="liveoperation_form"') :]
        names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', form))
        assert {name for name in names if not name.startswith("events-")} <= {"csrfmiddlewaretoken"}
        assert 'name="_save"' not in page

    def test_every_column_is_shown_once(self, rf):
        fields = admin.site.get_model_admin(LiveOperation).get_readonly_fields(rf.get(LIST))
        names = [getattr(field, "__name__", field) for field in fields]
        assert len(names) == len(set(names))
        # These are shown in a more readable form.
        columns = {field.name for field in LiveOperation._meta.fields} - {"percent", "traceback"}
        assert columns <= set(names)

    def test_what_nobody_sees_is_marked(self, client, sue, ann):
        operation = make_operation(
            ann,
            state=State.FAILED,
            error="error\u202e",
            status_text="status\u200b",
            traceback="trace\u2066",
            result_context={"key\u200f": "value\ufeff"},
        )
        add_lines(operation, "\x1b[31mred\x1b[0m line\u202d")
        page = client.get(detail(operation)).content.decode()
        for text in ("error[U+202E]", "status[U+200B]", "trace[U+2066]", "red line[U+202D]"):
            assert text in page
        assert "key[U+200F]" in page
        assert "value[U+FEFF]" in page

    def test_log_lines_are_shown_as_text_and_long_ones_cut(self, client, sue, ann, settings):
        settings.LIVEOPS = {"LOG_LINE_CHARS": 20}
        operation = make_operation(ann, state=State.RUNNING)
        add_lines(operation, "<script>alert(1)</script>")
        page = client.get(detail(operation)).content.decode()
        assert "info &lt;script&gt;alert(1)&lt;/sc …" in page

    def test_the_audit_trail(self, client, sue, ann):
        operation = make_operation(ann)
        operation.cancel(by=sue)
        page = client.get(detail(operation)).content.decode()
        assert "cancelled in the queue" in page
        assert page.index("started") < page.index("cancelled in the queue")

    def test_a_kind_that_is_gone(self, client, sue, ann):
        operation = make_operation(ann)
        LiveOperation.objects.update(kind="shop.gone")
        assert client.get(LIST).status_code == 200
        assert b"shop.gone" in client.get(detail(operation)).content

    def test_a_forged_post_changes_nothing(self, client, sue, ann):
        operation = make_operation(ann)
        form = {"state": "SUCCEEDED", "events-TOTAL_FORMS": 0, "events-INITIAL_FORMS": 0}
        assert client.post(detail(operation), form).status_code == 403
        operation.refresh_from_db()
        assert operation.state == "QUEUED"

    def test_nothing_can_be_added(self, client, sue):
        assert client.get(f"{LIST}add/").status_code == 403

    @pytest.mark.parametrize("path", ["", "detail"])
    def test_the_pages_obey_the_content_security_policy(self, client, sue, ann, path):
        operation = make_operation(ann, state=State.FAILED, traceback="Traceback")
        response = client.get(detail(operation) if path else LIST)
        assert "script-src 'self'" in response["Content-Security-Policy"]
        page = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", page)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)


class TestActions:
    def test_cancel_counts_what_was_done_and_what_was_skipped(self, client, sue, ann, layer):
        queued, running = make_operation(ann), make_operation(ann, state=State.RUNNING)
        done = make_operation(ann, state=State.SUCCEEDED)
        _response, told = act(client, "cancel_selected", queued, running, done)
        assert told == [
            "2 operations were cancelled, or asked to end.",
            "1 operation was skipped: it had ended already.",
        ]
        for operation in (queued, running, done):
            operation.refresh_from_db()
        assert (queued.state, done.state) == ("CANCELLED", "SUCCEEDED")
        assert running.cancel_requested_at
        assert OperationEvent.objects.filter(user=sue).count() == 2
        assert queued.get_channel_name() in layer.groups

    def test_retry_counts_what_was_done_and_what_was_skipped(self, client, sue, ann, sent, layer):
        failed = make_operation(ann, kind=Patient, state=State.FAILED)
        lost = make_operation(ann, state=State.LOST)
        running = make_operation(ann, state=State.RUNNING)
        _response, told = act(client, "retry_selected", failed, lost, running)
        assert told == [
            "2 operations were queued again.",
            "1 operation was skipped: it did not fail, nor was it cancelled or lost.",
        ]
        assert set(sent) == {(str(failed.pk), 2), (str(lost.pk), 2)}
        failed.refresh_from_db()
        assert (failed.state, failed.restarts) == ("QUEUED", 1)
        events = OperationEvent.objects.filter(user=sue).values_list("attempt", "why")
        assert list(events) == [(2, "retry")] * 2
        assert layer.groups == {failed.get_channel_name(), lost.get_channel_name()}

    def test_need_the_permission_to_change(self, client, ann, sent):
        staff_with(client, "view_liveoperation", "delete_liveoperation")
        operation = make_operation(ann, state=State.FAILED)
        assert client.get(detail(operation)).status_code == 200
        assert b"retry_selected" not in client.get(LIST).content
        _response, told = act(client, "retry_selected", operation)
        assert told == ["No action selected."]
        assert sent == []

    def test_need_the_group_of_the_kind(self, client, ann, sent, monkeypatch):
        monkeypatch.setattr(Patient, "required_group", "nurses")
        stan = staff_with(client, "change_liveoperation", "view_liveoperation")
        guarded = make_operation(ann, kind=Patient, state=State.FAILED)
        other = make_operation(ann, state=State.FAILED)
        _response, told = act(client, "retry_selected", guarded, other)
        assert told == [
            "1 operation was left alone: you are not in the group that it needs.",
            "1 operation was queued again.",
        ]
        assert sent == [(str(other.pk), 2)]
        stan.groups.add(Group.objects.create(name="nurses"))
        act(client, "retry_selected", guarded)
        assert sent[1:] == [(str(guarded.pk), 2)]

    def test_with_the_permission_to_change(self, client, ann, sent):
        stan = staff_with(client, "change_liveoperation")
        operation = make_operation(ann, state=State.FAILED)
        assert client.get(detail(operation)).status_code == 200
        act(client, "retry_selected", operation)
        assert len(sent) == 1
        assert OperationEvent.objects.latest("pk").user == stan

    def test_without_any_permission_there_is_nothing_to_see(self, client, ann):
        staff_with(client)
        operation = make_operation(ann)
        assert client.get(LIST).status_code == 403
        assert client.get(detail(operation)).status_code == 403

    def test_who_is_no_staff_is_asked_to_sign_in(self, client, ann):
        client.force_login(ann)
        assert client.get(LIST)["Location"].startswith("/admin/login/")


class TestDelete:
    @pytest.fixture
    def finished(self, ann):
        operation = make_operation(ann, kind=Chatter, state=State.FAILED)
        add_lines(operation, *["x"] * 3)
        return operation

    def test_one_that_has_ended(self, client, sue, finished, layer):
        page = client.get(detail(finished, "delete")).content.decode()
        assert "log chunk" not in page
        client.post(detail(finished, "delete"), {"post": "yes"})
        assert not LiveOperation.objects.exists()
        assert not LogChunk.objects.exists()
        assert layer.groups == {finished.get_channel_name()}

    @pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
    def test_not_one_that_has_not(self, client, sue, ann, state):
        operation = make_operation(ann, state=state)
        assert client.post(detail(operation, "delete"), {"post": "yes"}).status_code == 403
        assert LiveOperation.objects.exists()

    def test_several_that_have_ended(self, client, sue, ann, finished, layer):
        other = make_operation(ann, state=State.LOST)
        act(client, "delete_selected", finished, other, post="yes")
        assert not LiveOperation.objects.exists()
        assert layer.groups == {finished.get_channel_name(), other.get_channel_name()}

    def test_several_of_which_one_has_not_ended(self, client, sue, ann, finished):
        running = make_operation(ann, state=State.RUNNING)
        response, _told = act(client, "delete_selected", finished, running, post="yes")
        assert response.status_code == 403
        assert LiveOperation.objects.count() == 2

    def test_needs_the_permission(self, client, ann, finished):
        staff_with(client, "change_liveoperation", "view_liveoperation")
        assert client.post(detail(finished, "delete"), {"post": "yes"}).status_code == 403
