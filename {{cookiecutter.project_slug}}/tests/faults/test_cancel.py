"""Cancel of runs that never check."""

from collections.abc import Callable

import pytest

from liveops.models import State
from liveops.record import Log
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import count_stuck, operation, wait_for_line
from tests.faults.stack import SHORT_TIMES, SWEEP_EVERY, FaultStack
from tests.faults.swarm import Swarm

GRACE = SHORT_TIMES["CANCEL_GRACE"]
LOST_AFTER = SHORT_TIMES["LOST_AFTER"]
# For starting the end of a process, and for a machine that does other things too.
SLACK = 5.0

NewSwarm = Callable[[list[SiteClient], str, int], Swarm]


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("how", "within", "rungs"),
    [
        ("loop", GRACE, 2),
        ("deaf", 2 * GRACE, 3),
        ("call", 2 * GRACE, 3),
        # No thread of its process runs any more, so the sweep has to find it silent.
        ("interpreter", LOST_AFTER + SWEEP_EVERY, 0),
    ],
)
def test_a_run_that_never_checks_is_cancelled_all_the_same(
    stack: FaultStack,
    member: SiteClient,
    swarm: NewSwarm,
    figures: Figures,
    how: str,
    within: float,
    rungs: int,
) -> None:
    operation_id = member.start("kinds.stubborn", how=how)
    if how != "interpreter":
        wait_for_line(operation_id, 1)
    pages = swarm([member], operation_id, 2)
    pages.wait_until_connected()
    with figures.time_until_right():
        member.cancel(operation_id)
        pages.wait_for(
            lambda page: page.view.state == State.CANCELLED,
            "every page says that it was cancelled",
            within=within + SLACK,
        )
    row = operation(operation_id)
    warnings = [line.text for line in Log(row, 1) if line.level == "warning"]
    assert len(warnings) == rungs, warnings
    for page in pages.pages:
        assert [line.text for line in page.view.lines if line.level == "warning"] == warnings
    # The worker serves on, with all of its children.
    done = [member.start("kinds.deeds", steps=20, pause=0.05) for _ in range(4)]
    count_stuck(figures, [operation_id, *done])
    assert all(operation(each).state == State.SUCCEEDED for each in done)
    assert len(stack.worker_children()) == 2
