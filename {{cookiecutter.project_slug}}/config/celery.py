"""The Celery application. Its settings are the `CELERY_` ones in `config/settings.py`."""

import gc
import logging
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_before_create_process
from celery.utils.log import get_logger, get_multiprocessing_logger

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="lookout")
app.autodiscover_tasks(related_name="exposition")


@setup_logging.connect
def log_as_the_site_does(**_kwargs: Any) -> None:
    """Else Celery would add handlers and a format of its own, and go by --loglevel.

    What is printed is logged.
    """
    children = get_multiprocessing_logger()
    children.propagate = True
    children.setLevel(logging.ERROR)
    app.log.redirect_stdouts_to_logger(get_logger("celery.redirected"), "WARNING")


@worker_before_create_process.connect
def share_memory_with_children(**_kwargs: Any) -> None:
    """Else the first full garbage collection of a child copies all that the parent had loaded.

    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.freeze()
