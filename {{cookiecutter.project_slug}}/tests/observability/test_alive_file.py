"""The files that workers and the scheduler touch while they really work."""

import subprocess
import time

from liveops.models import State
from tests.client import SiteClient
from tests.faults.ledger import wait_for_state
from tests.kinds.models import Patient
from tests.observability.stack import ObservedStack
from tests.observability.test_readiness import frozen
from tests.processes import wait_until

# Seconds. The worker beats every two, the scheduler sends a sweep every ten.
WORKER_BEATS, BEAT_BEATS = 6, 15


def wait_until_fresh(stack: ObservedStack) -> None:
    wait_until(lambda: stack.age_of(stack.worker) < WORKER_BEATS, "the worker shows life")
    wait_until(lambda: stack.age_of(stack.beat) < BEAT_BEATS, "the scheduler shows life")


def test_both_are_fresh_though_all_processes_of_the_pool_are_busy(
    stack: ObservedStack, member: SiteClient
) -> None:
    wait_until_fresh(stack)
    running = [member.start("kinds.patient") for _ in range(2)]
    for operation_id in running:
        wait_for_state(operation_id, State.RUNNING)
    ages = []
    for _ in range(24):
        ages.append((stack.age_of(stack.worker), stack.age_of(stack.beat)))
        time.sleep(0.5)
    Patient.objects.filter(pk__in=running).update(may_end=True)
    for operation_id in running:
        wait_for_state(operation_id, State.SUCCEEDED)
    assert max(worker for worker, _ in ages) < WORKER_BEATS
    assert max(beat for _, beat in ages) < BEAT_BEATS


def test_a_worker_that_is_frozen_grows_old(stack: ObservedStack) -> None:
    wait_until_fresh(stack)
    with frozen(stack.worker):
        time.sleep(WORKER_BEATS + 1)
        assert stack.age_of(stack.worker) > WORKER_BEATS
    wait_until_fresh(stack)


def test_a_scheduler_that_is_frozen_grows_old(stack: ObservedStack) -> None:
    wait_until_fresh(stack)
    with frozen(stack.beat):
        time.sleep(BEAT_BEATS + 1)
        assert stack.age_of(stack.beat) > BEAT_BEATS
    wait_until_fresh(stack)


def test_a_worker_that_waits_for_redis_lives_and_a_scheduler_that_sends_nothing_does_not(
    stack: ObservedStack,
) -> None:
    """Whoever restarted such a worker would end its runs, which need no Redis."""
    wait_until_fresh(stack)
    stack.stop_redis()
    ages = []
    for _ in range(40):
        time.sleep(0.5)
        ages.append(stack.age_of(stack.worker))
    assert max(ages) < WORKER_BEATS
    assert stack.age_of(stack.beat) > BEAT_BEATS
    stack.start_redis()
    wait_until_fresh(stack)
    print(f"at most {max(ages):.1f} s old while Redis was away", end=" ")


def test_the_age_is_told_by_a_line_of_shell(stack: ObservedStack) -> None:
    """The one that docs/observability.md gives to container health checks."""
    wait_until_fresh(stack)
    check = 'test -n "$(find "$ALIVE_FILE" -mmin -1)"'
    for process in (stack.worker, stack.beat):
        assert subprocess.run(["sh", "-c", check], env=process.env, check=False).returncode == 0
