"""Celery: start operations and watch over them."""

import logging
import os
import platform
import signal
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from billiard.process import current_process
from celery import current_app, shared_task
from celery.exceptions import WorkerLostError
from celery.signals import task_failure
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from liveops.audit import note
from liveops.conf import conf
from liveops.execution import execute
from liveops.failures import DATABASE_UNAVAILABLE
from liveops.hints import (
    announce_change,
    is_alive,
    leave_cancel_request,
    read_cancel_request,
)
from liveops.limits import claim_in_turn, release_those_with_room
from liveops.locks import patience
from liveops.metrics import SWEEPS
from liveops.models import LiveOperation, State
from liveops.pulse import note_that_a_sweep_ran
from liveops.queues import queue_of
from liveops.retention import purge_expired

logger = logging.getLogger(__name__)

# A click on Cancel does not wait longer for a locked row; the worker gets a hint instead.
CANCEL_PATIENCE_MS = 250
# Celery's main process has other things to do than to wait for a lock.
LOST_PATIENCE_MS = 2_000


def submit(operation: LiveOperation, by: Any) -> None:
    """Save a new operation and send it to a worker once the transaction is committed."""
    operation.submit(by=by)
    note("operation started", user=by, operation=operation, kind=operation.kind)
    transaction.on_commit(lambda: send(operation))


def restart(operation: LiveOperation, by: Any, why: str = "retry") -> bool:
    """Queue a new attempt and send it to a worker. False: there is nothing to retry."""
    if not operation.restart(by=by, why=why):
        return False
    note("operation queued again", user=by, operation=operation, why=why)
    transaction.on_commit(lambda: send(operation))
    transaction.on_commit(lambda: announce_change(operation))
    return True


def cancel(operation: LiveOperation, by: Any) -> bool:
    """End a queued operation at once, ask a running one to end. False: it has ended.

    The run itself may hold the lock on its row; then the worker finds a hint and obeys that.
    """
    heard = operation.is_active and leave_cancel_request(operation.pk, operation.attempt, by.pk)
    try:
        with patience(CANCEL_PATIENCE_MS):
            done = operation.cancel(by=by)
    except DATABASE_UNAVAILABLE:
        if not heard:
            raise
        done = True
    if done:
        note("cancel requested", user=by, operation=operation)
    if operation.is_finished:
        announce_change(operation)
    return done


def send(operation: LiveOperation) -> None:
    """Put the message for this attempt on its queue. The sweep does so again if it gets lost."""
    try:
        # Over a connection of its own, so that a worker's process keeps none open for the rare
        # message that it sends.
        with current_app.connection_for_write() as broker:
            run_operation.apply_async(
                args=[str(operation.pk), operation.attempt],
                task_id=task_id(operation),
                queue=queue_of(operation),
                connection=broker,
            )
    except run_operation.OperationalError as error:
        logger.warning("%s waits for the sweep, the broker is down: %s", operation.pk, error)
        # The first sweep after that need not wait to see that no worker comes.
        unsent = LiveOperation.objects.filter(
            pk=operation.pk, attempt=operation.attempt, state=State.QUEUED
        )
        unsent.update(queued_at=F("queued_at") - timedelta(seconds=conf.RESEND_AFTER))


def task_id(operation: LiveOperation) -> str:
    """Celery's name for the message of this attempt."""
    return f"{operation.pk}:{operation.attempt}"


@shared_task(
    name="liveops.run_operation",
    ignore_result=True,
    # Only the claim can raise these: what `run()` raises is recorded.
    autoretry_for=DATABASE_UNAVAILABLE,
    max_retries=None,
    retry_backoff=1,
    retry_backoff_max=30,
)
def run_operation(operation_id: str, attempt: int) -> None:
    """Run this attempt, unless somebody else did or does: a message may come more than once."""
    worker = f"{platform.node()}:{os.getpid()}"
    operation = claim_in_turn(operation_id, attempt, worker)
    if operation is None:
        logger.info("%s attempt %s is not to be run, or not yet", operation_id, attempt)
        return
    in_child = current_process().name != "MainProcess"
    try:
        next_operation = execute(operation, terminate=end_this_process if in_child else None)
    except SystemExit:
        # The worker is shut down: another one goes on.
        restart_lost(operation)
        raise
    if next_operation is not None:
        send(next_operation)
    send_those_with_room()


def send_those_with_room() -> None:
    """An end makes room for operations that a limit held back."""
    for operation in release_those_with_room():
        send(operation)


def end_this_process() -> None:
    """The last rung for a run that does not react; Celery starts a new process in its place."""
    os.kill(os.getpid(), signal.SIGKILL)


@task_failure.connect
def notice_lost_worker(
    sender: Any, exception: BaseException, args: list[Any], **_kwargs: Any
) -> None:
    """Called in Celery's main process when a child died; the lease would tell later."""
    if sender.name != run_operation.name or not isinstance(exception, WorkerLostError):
        return
    operation_id, attempt = args
    try:
        for operation in LiveOperation.objects.filter(pk=operation_id, attempt=attempt):
            end_lost(operation, why="the worker process died", patience_ms=LOST_PATIENCE_MS)
    except DATABASE_UNAVAILABLE as error:
        logger.warning("%s is left to the sweep: %s", operation_id, error)
    finally:
        # The next child must not inherit it.
        connection.close()


def end_lost(
    operation: LiveOperation,
    *,
    why: str,
    silent_since: datetime | None = None,
    patience_ms: int | None = None,
) -> bool:
    """Record that the run is gone, tell its pages, and start it again where the kind wants that."""
    asked_by = read_cancel_request(operation.pk, operation.attempt)
    user = get_user_model()._default_manager.filter(pk=asked_by).first() if asked_by else None
    with nullcontext() if patience_ms is None else patience(patience_ms):
        was_running = operation.declare_lost(why=why, silent_since=silent_since, cancelled_by=user)
    if not was_running:
        return False
    logger.warning("%s attempt %s: %s", operation.pk, operation.attempt, why)
    announce_change(operation)
    restart_lost(operation)
    send_those_with_room()
    return True


def restart_lost(operation: LiveOperation) -> None:
    kind = LiveOperation.objects.get(pk=operation.pk).as_kind()
    if kind.state == State.LOST and kind.retry_when_lost and kind.attempt < conf.MAX_ATTEMPTS:
        restart(kind, by=None, why="started again, the worker was lost")


@shared_task(name="liveops.sweep", ignore_result=True)
def sweep() -> None:
    """Find runs whose worker vanished and queued operations whose message vanished."""
    note_that_a_sweep_ran()
    sweep_up()


def sweep_up() -> None:
    """One sweep, in whichever process; any number may run at once."""
    SWEEPS.inc()
    try:
        _end_lost_runs()
        _send_again()
        send_those_with_room()
    except DATABASE_UNAVAILABLE as error:
        logger.warning("left to the next sweep: %s", error)


def _end_lost_runs() -> None:
    silent_since = timezone.now() - timedelta(seconds=conf.LOST_AFTER)
    silent = LiveOperation.objects.filter(state=State.RUNNING, heartbeat_at__lte=silent_since)
    for operation in silent.iterator():
        # The row may be locked by the run itself, and then only this hint shows that it lives.
        if is_alive(operation.pk, operation.attempt):
            continue
        why = "no sign of life from the worker"
        if end_lost(operation, why=why, silent_since=silent_since):
            # If its process is there after all, it is stuck, and its lease is gone.
            end_run(operation)


def end_run(operation: LiveOperation) -> None:
    """Have the worker that runs this attempt end the process of it."""
    try:
        with current_app.connection_for_write() as broker:
            current_app.control.revoke(
                task_id(operation), terminate=True, signal="SIGKILL", connection=broker
            )
    except (run_operation.OperationalError, OSError) as error:
        logger.warning("%s: its worker could not be told: %s", operation.pk, error)


def _send_again() -> None:
    waiting_since = timezone.now() - timedelta(seconds=conf.RESEND_AFTER)
    for operation in LiveOperation.objects.filter(
        state=State.QUEUED, queued_at__lte=waiting_since
    ).iterator():
        again = LiveOperation.objects.filter(
            pk=operation.pk, state=State.QUEUED, attempt=operation.attempt
        )
        # Whoever moves the time on sends the message, however many sweeps run at once.
        if again.filter(queued_at=operation.queued_at).update(queued_at=Now()):
            send(operation)


@shared_task(name="liveops.purge", ignore_result=True)
def purge() -> None:
    """Delete the operations that ended more than `RETENTION_DAYS` ago, with logs and files."""
    purge_expired()
