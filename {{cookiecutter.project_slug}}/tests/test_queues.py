"""Kinds with a queue of their own run in the workers that take from it, and in no others."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from celery import Celery
from django.db import connection

from liveops.models import LiveOperation, State
from tests.client import SiteClient
from tests.databases import Postgres
from tests.faults.ledger import operation, wait_for_state
from tests.processes import Process, wait_until
from tests.services import ALONE, CELERY, Stack

NewWorker = Callable[[str], Process]

on_postgres = pytest.mark.parametrize("running_stack", ["postgres"], indirect=True)


@pytest.fixture
def new_worker(stack: Stack) -> Iterator[NewWorker]:
    """`new_worker("heavy")` takes from that queue only; the stack's own worker stands still."""
    ready = stack.worker.log.read_text().count(" ready.")
    with ExitStack() as workers:
        stack.worker.stop()

        def start(queues: str) -> Process:
            name = f"only-{queues}"
            options = ["--pool", "solo", "--queues", queues, "--hostname", f"{name}@%h"]
            worker = Process(
                name,
                [*CELERY, "worker", *options, "--loglevel", "INFO", *ALONE],
                stack.env,
                stack.folder,
            )
            worker.log.unlink(missing_ok=True)
            worker.start()
            workers.callback(worker.stop)
            worker.wait_for(lambda: " ready." in worker.log_tail(), "takes messages")
            return worker

        yield start
    stack.worker.start()
    stack.worker.wait_for(
        lambda: stack.worker.log.read_text().count(" ready.") > ready, "takes messages"
    )


def pid_of_worker(operation_id: object) -> int:
    return int(operation(str(operation_id)).worker.rpartition(":")[2])


def chained_to(operation_id: str) -> LiveOperation:
    following = wait_for_state(operation_id, State.SUCCEEDED).next_operation
    assert following is not None
    return wait_for_state(str(following.pk), State.SUCCEEDED)


def test_each_worker_runs_the_kinds_of_its_queues_only(
    stack: Stack, member: SiteClient, new_worker: NewWorker
) -> None:
    light, heavy = new_worker("celery"), new_worker("heavy")
    ran_by = {light.pid: "kinds.greeting", heavy.pid: "kinds.heavy"}
    started = [member.start(kind) for kind in ran_by.values() for _ in range(5)]
    for operation_id in started:
        kind = wait_for_state(operation_id, State.SUCCEEDED).kind
        assert ran_by[pid_of_worker(operation_id)] == kind
    for chain, pid in {"heavy": heavy.pid, "greeting": light.pid}.items():
        following = chained_to(member.start("kinds.heavy", chain=chain))
        assert (following.kind, pid_of_worker(following.pk)) == (f"kinds.{chain}", pid)


def test_without_a_worker_for_its_queue_an_operation_waits_for_one(
    stack: Stack, member: SiteClient, new_worker: NewWorker
) -> None:
    new_worker("celery")
    waiting = member.start("kinds.heavy")
    behind = [member.start("kinds.greeting") for _ in range(3)]
    for operation_id in behind:
        wait_for_state(operation_id, State.SUCCEEDED)
    page = member.live_page(waiting)
    assert (operation(waiting).state, page.state) == (State.QUEUED, State.QUEUED)
    heavy = new_worker("heavy")
    wait_for_state(waiting, State.SUCCEEDED)
    assert pid_of_worker(waiting) == heavy.pid


def test_a_worker_that_is_told_no_queues_takes_from_all(stack: Stack, member: SiteClient) -> None:
    started = [member.start("kinds.greeting"), member.start("kinds.heavy")]
    for operation_id in started:
        wait_for_state(operation_id, State.SUCCEEDED)


@on_postgres
def test_a_claim_that_failed_is_tried_again_by_a_worker_of_the_same_queue(
    stack: Stack, member: SiteClient, new_worker: NewWorker
) -> None:
    assert isinstance(stack.database, Postgres)
    light = new_worker("celery")
    operation_id = member.start("kinds.heavy")
    heavy = new_worker("heavy")
    wait_for_state(operation_id, State.SUCCEEDED)
    again = {"state": State.QUEUED, "attempt": 2}
    LiveOperation.objects.filter(pk=operation_id).update(**again)
    stack.database.pause()
    try:
        with Celery(broker=stack.redis_url) as celery:
            celery.send_task("liveops.run_operation", args=[operation_id, 2], queue="heavy")
            ask = celery.control.inspect(timeout=1)
            wait_until(lambda: any((ask.scheduled() or {}).values()), "it is to be tried again")
    finally:
        stack.database.resume()
        connection.close()
    wait_for_state(operation_id, State.SUCCEEDED)
    assert pid_of_worker(operation_id) == heavy.pid
    assert operation_id not in light.log.read_text()
