"""Operations that end badly say so, and leave the worker as it was."""

from collections.abc import Callable

import pytest
from django.db import transaction

from liveops.models import LiveOperation, State
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import (
    claims,
    count_stuck,
    operation,
    wait_for_line,
    wait_for_state,
)
from tests.faults.stack import FaultStack
from tests.faults.swarm import Swarm

GONE = 4404
NewSwarm = Callable[[list[SiteClient], str, int], Swarm]


@pytest.mark.fault(25)
@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ("raise", "Something went wrong (RuntimeError)"),
        ("operation-error", "the &lt;b&gt;file&lt;/b&gt; is empty"),
        ("p.error", "no &lt;b&gt;luck&lt;/b&gt;"),
        ("no-json", "Something went wrong (TypeError)"),
        ("template", "its result cannot be shown"),
    ],
)
def test_a_failure_is_shown_escaped_and_its_traceback_is_for_staff(
    stack: FaultStack, member: SiteClient, figures: Figures, how: str, shown: str
) -> None:
    with figures.time_until_right():
        operation_id = member.start("kinds.failing", how=how)
        row = wait_for_state(operation_id, State.FAILED)
    page = member.http.get(f"/operations/{operation_id}/").text
    assert shown in page
    assert "secret" not in page
    assert "Traceback" not in page
    assert ("Traceback" in row.traceback) == (how != "p.error")
    figures.lost += row.log_lines != 1
    figures.twice += claims(operation_id) - 1


@pytest.mark.fault(25)
def test_an_operation_is_deleted_in_the_middle_of_its_run(
    stack: FaultStack, member: SiteClient, swarm: NewSwarm, figures: Figures
) -> None:
    operation_id = member.start("kinds.chatter", lines=10_000, burst=1, pause=0.01)
    wait_for_line(operation_id, 50)
    pages = swarm([member], operation_id, 3)
    pages.wait_until_connected()
    with figures.time_until_right():
        with transaction.atomic():
            # Locked first: else lines that are stored meanwhile would forbid the deletion.
            LiveOperation.objects.select_for_update().get(pk=operation_id).delete()
        pages.wait_for(lambda page: page.close_codes[-1:] == [GONE], "every page is told")
    assert member.http.get(f"/operations/{operation_id}/").status_code == 404
    # Its child is free again: both can run something now.
    others = [member.start("kinds.patient", may_end="on") for _ in range(2)]
    count_stuck(figures, others, within=20)
    assert {operation(each).state for each in others} == {State.SUCCEEDED}
