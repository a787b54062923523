"""Starting, cancelling and retrying in the browser."""

import re
import uuid

import pytest

from liveops.hints import read_cancel_request
from liveops.models import FINISHED, LiveOperation, OperationEvent, State
from liveops.tasks import run_operation
from liveops.tests.make import locked_database, make_operation, make_user
from tests.kinds.models import Chatter, Patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann(client):
    user = make_user()
    client.force_login(user)
    return user


@pytest.mark.usefixtures("sent")
class TestStart:
    def test_the_form_asks_for_the_fields_of_the_kind(self, client, ann):
        page = client.get("/start/kinds.chatter/").content.decode()
        assert '<h1 dir="auto">Chatter</h1>' in page
        assert re.search(r'<input type="number" name="lines" value="1000"', page)
        assert 'name="pause"' in page
        assert 'name="seq"' not in page

    def test_a_kind_without_fields_needs_a_click_only(self, client, ann, sent):
        assert 'type="submit"' in client.get("/start/kinds.greeting/").content.decode()
        response = client.post("/start/kinds.greeting/")
        operation = LiveOperation.objects.get()
        assert response["Location"] == f"/operations/{operation.pk}/"
        assert (operation.owner, operation.kind) == (ann, "kinds.greeting")
        assert sent == [(str(operation.pk), 1)]
        assert OperationEvent.objects.get().user == ann

    def test_what_was_asked_for_is_stored(self, client, ann):
        client.post("/start/kinds.chatter/", {"lines": 7, "burst": 2, "pause": 0.5})
        chatter = Chatter.objects.get()
        assert (chatter.lines, chatter.burst, chatter.pause) == (7, 2, 0.5)

    def test_bad_input_is_explained_and_kept(self, client, ann, sent):
        response = client.post("/start/kinds.chatter/", {"lines": "many", "burst": 3, "pause": 0})
        page = response.content.decode()
        assert "Enter a whole number." in page
        assert 'value="many"' in page
        assert 'value="3"' in page
        assert not LiveOperation.objects.exists()
        assert sent == []

    def test_columns_of_the_engine_cannot_be_set(self, client, ann):
        other = make_user("bob")
        form = {"lines": 7, "burst": 1, "pause": 0, "state": "SUCCEEDED", "owner": other.pk}
        client.post("/start/kinds.chatter/", {**form, "attempt": 9, "id": uuid.uuid4()})
        operation = Chatter.objects.get()
        assert (operation.state, operation.owner, operation.attempt) == ("QUEUED", ann, 1)

    def test_a_form_that_is_sent_twice_starts_one_operation(self, client, ann, sent):
        page = client.get("/start/kinds.greeting/").content.decode()
        key = re.search(r'name="form_key" value="([^"]+)"', page)
        assert key
        first, second = (client.post("/start/kinds.greeting/", {"form_key": key[1]}) for _ in "12")
        assert first["Location"] == second["Location"]
        assert LiveOperation.objects.count() == len(sent) == 1

    def test_with_the_broker_down_it_waits_in_the_record(self, client, ann, monkeypatch):
        def fail(*args, **options):
            raise run_operation.OperationalError("broker down")

        monkeypatch.setattr(run_operation, "apply_async", fail)
        response = client.post("/start/kinds.greeting/")
        operation = LiveOperation.objects.get()
        assert response["Location"] == f"/operations/{operation.pk}/"
        assert operation.state == "QUEUED"


class TestCancel:
    def test_in_the_queue(self, client, ann, layer):
        operation = make_operation(ann)
        response = client.post(f"/operations/{operation.pk}/cancel/")
        assert response["Location"] == f"/operations/{operation.pk}/"
        operation.refresh_from_db()
        assert operation.state == "CANCELLED"
        assert layer.messages == [{"type": "liveop.changed", "group": operation.get_channel_name()}]
        event = OperationEvent.objects.latest("pk")
        assert (event.user, event.to_state) == (ann, "CANCELLED")

    def test_while_running(self, client, ann, layer):
        operation = make_operation(ann, state=State.RUNNING)
        client.post(f"/operations/{operation.pk}/cancel/")
        operation.refresh_from_db()
        assert operation.state == "RUNNING"
        assert operation.cancel_requested_at
        assert read_cancel_request(operation.pk, 1) == str(ann.pk)

    def test_while_the_row_is_locked_it_becomes_a_hint(self, client, ann):
        operation = make_operation(ann, state=State.RUNNING)
        with locked_database():
            response = client.post(f"/operations/{operation.pk}/cancel/")
        assert response.status_code == 302
        assert read_cancel_request(operation.pk, 1) == str(ann.pk)

    def test_while_neither_row_nor_cache_takes_it_the_page_says_busy(
        self, client, ann, monkeypatch
    ):
        operation = make_operation(ann, state=State.RUNNING)
        monkeypatch.setattr("liveops.tasks.leave_cancel_request", lambda *request: False)
        with locked_database():
            response = client.post(f"/operations/{operation.pk}/cancel/")
        assert response.status_code == 503

    @pytest.mark.parametrize("state", sorted(FINISHED))
    def test_of_what_has_ended_changes_nothing(self, client, ann, state):
        operation = make_operation(ann, state=state)
        response = client.post(f"/operations/{operation.pk}/cancel/")
        assert response.status_code == 302
        operation.refresh_from_db()
        assert (operation.state, OperationEvent.objects.count()) == (state, 1)

    def test_by_a_page_that_watches_needs_no_new_page(self, client, ann):
        operation = make_operation(ann)
        response = client.post(
            f"/operations/{operation.pk}/cancel/", headers={"HX-Request": "true"}
        )
        assert (response.status_code, response.content) == (204, b"")


class TestRetry:
    def test_makes_a_new_attempt(self, client, ann, sent, layer):
        operation = make_operation(ann, kind=Patient, state=State.FAILED)
        response = client.post(f"/operations/{operation.pk}/restart/")
        assert response["Location"] == f"/operations/{operation.pk}/"
        operation.refresh_from_db()
        assert (operation.state, operation.attempt, operation.restarts) == ("QUEUED", 2, 1)
        assert sent == [(str(operation.pk), 2)]
        assert layer.messages == [{"type": "liveop.changed", "group": operation.get_channel_name()}]
        assert OperationEvent.objects.latest("pk").user == ann

    @pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.SUCCEEDED])
    def test_of_what_did_not_fail_changes_nothing(self, client, ann, sent, state):
        operation = make_operation(ann, state=state)
        assert client.post(f"/operations/{operation.pk}/restart/").status_code == 302
        operation.refresh_from_db()
        assert (operation.attempt, sent) == (1, [])
