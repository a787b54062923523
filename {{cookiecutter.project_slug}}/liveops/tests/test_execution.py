"""How a run ends, and what the record says about it."""

import time
from typing import Any

import pytest
from django.utils.translation import get_language

from liveops.exceptions import LeaseLost, OperationError
from liveops.execution import execute
from liveops.hints import leave_cancel_request
from liveops.models import LiveOperation, LogChunk, OperationEvent, State
from liveops.tests.make import add_lines, make_operation, make_user
from tests.kinds.models import Failing, Greeting, Patient, Showcase

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("layer")]


def run(monkeypatch, act):
    monkeypatch.setattr(Greeting, "run", act)
    operation = make_operation(state=State.RUNNING)
    execute(operation)
    operation.refresh_from_db()
    return operation


def fail(how):
    operation = make_operation(kind=Failing, own={"how": how}, state=State.RUNNING)
    execute(operation)
    operation.refresh_from_db()
    assert operation.state == "FAILED"
    assert operation.finished_at
    return operation


def until(p, seconds=5):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        p.check_cancelled()
        p.log("still here")
        time.sleep(0.01)


def why(operation):
    return OperationEvent.objects.filter(operation=operation).latest("pk").why


def test_an_exception_stays_with_staff():
    operation = fail("raise")
    assert operation.error == "Something went wrong (RuntimeError). The staff can see the details."
    assert "RuntimeError: <b>secret</b> detail" in operation.traceback
    assert why(operation) == "run() raised"


def test_an_operation_error_is_told_to_the_user(layer):
    operation = fail("operation-error")
    assert operation.error == "the <b>file</b> is empty"
    shown = layer.frames[-1]["parts"]["result"]
    assert "the &lt;b&gt;file&lt;/b&gt; is empty" in shown


def test_p_error_is_told_to_the_user_and_has_no_traceback():
    operation = fail("p.error")
    assert (operation.error, operation.traceback) == ("no <b>luck</b>", "")
    assert why(operation) == "p.error()"


def test_a_result_that_is_no_json_is_a_failure():
    operation = fail("no-json")
    assert "'value' is no JSON value" in operation.traceback


def test_a_broken_result_template_is_a_failure_that_says_so(layer):
    operation = fail("template")
    text = "The work was done, but its result cannot be shown."
    assert operation.error == text
    assert "Traceback (most recent call last)" in operation.traceback
    assert why(operation) == "the result template raised"
    assert text in layer.frames[-1]["parts"]["result"]
    assert layer.frames[-1]["state"] == "FAILED"


def test_an_error_whose_text_no_database_takes_is_recorded(monkeypatch):
    def leave(operation, p):
        raise OperationError("a\ud800\x00b")

    operation = run(monkeypatch, leave)
    assert operation.state == "FAILED"
    assert operation.error


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_shutdown_of_the_process_ends_the_run_as_lost(monkeypatch, signal):
    def interrupted(operation, p):
        raise signal

    monkeypatch.setattr(Greeting, "run", interrupted)
    operation = make_operation(state=State.RUNNING)
    with pytest.raises(signal):
        execute(operation)
    operation.refresh_from_db()
    assert (operation.state, why(operation)) == ("LOST", "the worker was shut down")


def test_a_cancel_request_in_the_row_ends_the_run(monkeypatch):
    def cancelled_meanwhile(operation, p):
        LiveOperation.objects.get().cancel()
        until(p)

    operation = run(monkeypatch, cancelled_meanwhile)
    assert operation.state == "CANCELLED"
    assert why(operation) == "the run obeyed the cancel request"


def test_a_cancel_request_left_as_a_hint_ends_the_run(monkeypatch):
    bob = make_user("bob")

    def cancelled_meanwhile(operation, p):
        leave_cancel_request(operation.pk, operation.attempt, bob.pk)
        until(p)

    operation = run(monkeypatch, cancelled_meanwhile)
    assert operation.state == "CANCELLED"
    assert operation.cancel_requested_at
    events = OperationEvent.objects.values_list("user", "why")
    assert (bob.pk, "cancel requested while the row was locked") in list(events)


def test_a_hint_for_another_attempt_is_not_heard(monkeypatch):
    def cancelled_before(operation, p):
        leave_cancel_request(operation.pk, operation.attempt - 1, 1)
        until(p, seconds=1.3)

    assert run(monkeypatch, cancelled_before).state == "SUCCEEDED"


def test_a_run_that_lost_its_lease_writes_nothing_more(monkeypatch):
    ended_by = []

    def retried_meanwhile(operation, p):
        add_lines(operation, "the other worker's")
        LiveOperation.objects.update(attempt=2, status_text="the other worker's")
        try:
            until(p)
        except LeaseLost:
            ended_by.append(LeaseLost)
            raise

    operation = run(monkeypatch, retried_meanwhile)
    assert ended_by == [LeaseLost]
    assert (operation.state, operation.attempt) == ("RUNNING", 2)
    assert operation.status_text == "the other worker's"
    assert LogChunk.objects.count() == 1


@pytest.mark.parametrize("checks", [True, False])
def test_a_run_whose_operation_was_deleted_ends_quietly(monkeypatch, checks):
    def deleted_meanwhile(operation, p):
        LiveOperation.objects.all().delete()
        if checks:
            until(p)

    monkeypatch.setattr(Greeting, "run", deleted_meanwhile)
    assert execute(make_operation(state=State.RUNNING)) is None
    assert not LiveOperation.objects.exists()


def test_success_leads_to_the_success_url(layer):
    operation = make_operation(kind=Showcase, state=State.RUNNING)
    assert execute(operation) is None
    assert layer.frames[-1]["redirect"] == "/operations/"
    assert not any("redirect" in frame for frame in layer.frames[:-1])
    operation.refresh_from_db()
    assert operation.regions == {"#first": "<p>one</p><p>two</p>", "#second": "<i>raw</i>"}


def test_a_success_url_that_raises_costs_no_result(monkeypatch, layer):
    def broken(operation):
        raise ValueError("no such page")

    monkeypatch.setattr(Greeting, "get_success_url", broken)
    assert run(monkeypatch, lambda operation, p: None).state == "SUCCEEDED"
    assert "redirect" not in layer.frames[-1]


def test_success_leads_to_the_chained_operation(layer):
    operation = make_operation(kind=Showcase, own={"chain": True}, state=State.RUNNING)
    following = execute(operation)
    assert following is not None
    operation.refresh_from_db()
    assert operation.next_operation_id == following.pk
    assert (following.state, following.owner_id) == ("QUEUED", operation.owner_id)
    assert layer.frames[-1]["redirect"] == f"/operations/{following.pk}/"


def test_a_chained_operation_that_cannot_be_saved_is_a_failure_that_says_so(monkeypatch, layer):
    def chain_to_what_cannot_be_saved(operation, p):
        p.log("one")
        empty: dict[str, Any] = {"may_end": None}
        p.chain_to(Patient(**empty))

    operation = run(monkeypatch, chain_to_what_cannot_be_saved)
    text = "The work was done, but the operation that was to follow could not be started."
    assert (operation.state, operation.error) == ("FAILED", text)
    assert "IntegrityError" in operation.traceback
    assert why(operation) == "the next operation could not be saved"
    assert (operation.next_operation, operation.log_lines) == (None, 1)
    assert LiveOperation.objects.count() == 1
    assert text in layer.frames[-1]["parts"]["result"]
    assert "redirect" not in layer.frames[-1]


def test_a_failed_run_chains_to_nothing(monkeypatch, layer):
    def chain_and_fail(operation, p):
        p.chain_to(Greeting())
        p.error("no luck")

    operation = run(monkeypatch, chain_and_fail)
    assert (operation.state, operation.next_operation) == ("FAILED", None)
    assert LiveOperation.objects.count() == 1
    assert "redirect" not in layer.frames[-1]


def test_the_result_shows_what_the_run_saved_in_its_own_fields(monkeypatch, layer):
    def save(self, p):
        Showcase._base_manager.filter(pk=self.pk).update(chain=True)
        p.result()

    monkeypatch.setattr(Showcase, "run", save)
    monkeypatch.setattr(Showcase, "result_template_name", "kinds/showcase_chain.html")
    execute(make_operation(kind=Showcase, state=State.RUNNING))
    assert "chain: True" in layer.frames[-1]["parts"]["result"]


def test_a_run_speaks_the_language_of_who_started_it(monkeypatch):
    spoken = []
    monkeypatch.setattr(Greeting, "run", lambda operation, p: spoken.append(get_language()))
    execute(make_operation(state=State.RUNNING, language="de"))
    assert spoken == ["de"]
