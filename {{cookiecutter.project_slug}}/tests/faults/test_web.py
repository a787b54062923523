"""The web server restarts under many open pages, and bears one that stops reading."""

import os
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from liveops.models import State
from tests.client import SiteClient
from tests.faults.figures import Figures
from tests.faults.ledger import (
    count_shown_lines,
    count_stored_lines,
    operation,
    wait_for_line,
    wait_for_state,
)
from tests.faults.stack import FaultStack
from tests.faults.stalled import stalled_sockets
from tests.faults.swarm import Swarm

SOCKETS = int(os.environ.get("FAULTS_SOCKETS", "200"))
# Between two lines; longer for more sockets, so that all come back during the run on a machine
# that is slow or has much else to do.
PAUSE = 0.02 + SOCKETS * 0.001
STALLED = int(os.environ.get("FAULTS_STALLED", "20"))
FLOOD_LINES = int(os.environ.get("FAULTS_FLOOD_LINES", "60000"))
MOST_PER_SOCKET = 1024 * 1024

NewSwarm = Callable[[list[SiteClient], str, int], Swarm]
NewMember = Callable[[], SiteClient]


@pytest.mark.fault(7)
def test_the_web_server_restarts_under_many_open_pages(
    stack: FaultStack, member: SiteClient, swarm: NewSwarm, figures: Figures
) -> None:
    # Few enough lines that a page must show every one of them.
    most_lines = 1_800
    operation_id = member.start("kinds.chatter", lines=most_lines, burst=1, pause=PAUSE)
    wait_for_state(operation_id, State.RUNNING)
    pages = swarm([member], operation_id, SOCKETS)
    pages.wait_until_connected(within=120)
    wait_for_line(operation_id, 100)
    stack.restart_web()
    with figures.time_until_right():
        pages.wait_for(
            lambda page: page.connected and page.connections > 1, "all are back", within=120
        )
    came_back_at = operation(operation_id).log_lines
    wait_for_line(operation_id, came_back_at + 50)
    assert operation(operation_id).state == State.RUNNING, "it went on all the time"
    member.cancel(operation_id)
    pages.wait_for(lambda page: page.view.state == State.CANCELLED, "every page ends", within=120)
    lines = count_stored_lines(figures, operation_id)
    assert lines >= came_back_at + 50
    for page in pages.pages:
        count_shown_lines(figures, page.view, lines)
    most = max(page.connections for page in pages.pages)
    figures.note(f"{SOCKETS} pages came back, none connected more than {most} times")


@pytest.mark.fault(12)
def test_a_browser_stops_reading_during_a_flood(
    stack: FaultStack, member: SiteClient, swarm: NewSwarm, figures: Figures
) -> None:
    server = psutil.Process(stack.web.pid)
    flood: dict[str, Any] = {"lines": FLOOD_LINES, "burst": 100, "pause": 0.01}
    # The first flood fills whatever a server that was just started fills once.
    warm = member.start("kinds.chatter", **flood)
    readers = swarm([member], warm, 2)
    readers.wait_for(lambda page: page.view.state == State.SUCCEEDED, "the first flood ends")
    before = server.memory_info().rss

    operation_id = member.start("kinds.chatter", **flood)
    readers = swarm([member], operation_id, 2)
    with stalled_sockets(member, operation_id, STALLED) as sockets:
        readers.wait_for(lambda page: page.view.state == State.SUCCEEDED, "the flood ends")
        after = server.memory_info().rss
        still_open = sum(socket.state.name == "OPEN" for socket in sockets)
    grown = (after - before) / STALLED
    figures.note(f"{grown / 1024:.0f} KiB more for each of {STALLED} that stopped reading")
    assert still_open == STALLED, "a socket that was closed would prove nothing"
    assert grown <= MOST_PER_SOCKET
    count_stored_lines(figures, operation_id, FLOOD_LINES)
    for page in readers.pages:
        assert page.view.problems == []
        assert page.view.last_line == FLOOD_LINES
        numbers = [line.number for line in page.view.lines]
        assert numbers == list(range(numbers[0], FLOOD_LINES + 1))
