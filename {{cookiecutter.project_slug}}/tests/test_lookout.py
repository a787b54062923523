"""Lost runs are found while no worker is free, and when one starts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from liveops.models import LiveOperation, State
from tests.kinds.models import Greeting
from tests.processes import wait_until
from tests.services import Stack

pytestmark = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)


def lost_run() -> LiveOperation:
    owner = User.objects.create_user(f"owner-{timezone.now().timestamp()}")
    operation = Greeting(owner=owner)
    operation.submit(by=owner)
    assert LiveOperation.claim(operation.pk, 1, "a worker that is gone")
    LiveOperation.objects.filter(pk=operation.pk).update(
        heartbeat_at=timezone.now() - timedelta(hours=1)
    )
    return operation


def is_found(operation: LiveOperation) -> bool:
    return LiveOperation.objects.get(pk=operation.pk).state == State.LOST


def test_the_scheduler_finds_a_lost_run_without_a_worker(stack: Stack) -> None:
    stack.worker.stop()
    try:
        operation = lost_run()
        wait_until(lambda: is_found(operation), "the lookout found it", within=25)
    finally:
        stack.worker.start()
        stack.worker.wait_for(lambda: " ready." in stack.worker.log_tail(3), "takes messages")


def test_a_worker_that_starts_finds_a_lost_run_without_the_scheduler(stack: Stack) -> None:
    stack.beat.stop()
    try:
        operation = lost_run()
        stack.restart(stack.worker)
        wait_until(lambda: is_found(operation), "the worker found it", within=25)
    finally:
        stack.beat.start()
