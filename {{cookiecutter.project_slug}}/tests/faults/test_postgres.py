"""PostgreSQL restarts around the final result."""

import os
import time
from collections.abc import Callable

import pytest
from django.db import connection

from liveops.models import State
from tests.client import SiteClient
from tests.databases import Postgres
from tests.faults.figures import Figures
from tests.faults.ledger import claims, count_shown_lines, count_stored_lines, operation
from tests.faults.stack import FaultStack
from tests.faults.swarm import Swarm

AWAY_SECONDS = float(os.environ.get("FAULTS_POSTGRES_AWAY", "4"))
LINES = 100
PAGES = 10

NewSwarm = Callable[[list[SiteClient], str, int], Swarm]


def restart_at_the_end(database: Postgres, pages: Swarm, mode: str, away: float) -> None:
    """Away from shortly before the last line on, so that the end falls into it."""
    pages.wait_for(lambda page: page.view.last_line >= LINES - 10, "the end comes near")
    database.pause(mode)
    time.sleep(away)
    database.resume()
    # The test's own connection is gone, too.
    connection.close()


@pytest.mark.fault(8)
@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("away", [0.0, AWAY_SECONDS])
def test_postgresql_restarts_around_the_final_result(
    stack: FaultStack,
    member: SiteClient,
    swarm: NewSwarm,
    figures: Figures,
    mode: str,
    away: float,
) -> None:
    assert isinstance(stack.database, Postgres)
    operation_id = member.start("kinds.chatter", lines=LINES, burst=1, pause=0.03)
    pages = swarm([member], operation_id, PAGES)
    pages.wait_until_connected()
    restart_at_the_end(stack.database, pages, mode, away)
    with figures.time_until_right():
        pages.wait_for(lambda page: page.view.state == State.SUCCEEDED, "every page ends")
    row = operation(operation_id)
    assert row.result_context == {"lines": LINES}
    assert row.events.filter(to_state=State.SUCCEEDED).count() == 1
    assert claims(operation_id) == 1
    count_stored_lines(figures, operation_id, LINES)
    for page in pages.pages:
        count_shown_lines(figures, page.view, LINES)
        assert f"{LINES}" in page.view.parts["result"]
