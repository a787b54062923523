"""Sweeps that need no free worker: as long as all of them are busy, none could run one."""

import logging
import threading
import time
from typing import Any

from celery.signals import beat_init, worker_ready
from django.db import connection

from liveops.tasks import run_operation, sweep, sweep_up

logger = logging.getLogger(__name__)

EVERY = 10.0


@beat_init.connect
def look_out_from_the_scheduler(**_kwargs: Any) -> None:
    """The scheduler's process has nothing else to do, and there is one of it."""
    threading.Thread(target=_look_out, name="lookout", daemon=True).start()


@worker_ready.connect
def sweep_when_a_worker_starts(**_kwargs: Any) -> None:
    """It may be the first one after all of them were lost."""
    try:
        sweep.apply_async(expires=EVERY)
    except run_operation.OperationalError as error:
        logger.warning("no sweep at the start of the worker: %s", error)


def _look_out() -> None:
    while True:
        time.sleep(EVERY)
        try:
            sweep_up()
        except Exception:  # a thread that ended would end all later sweeps with it
            logger.exception("a sweep from the scheduler failed")
        finally:
            connection.close()
