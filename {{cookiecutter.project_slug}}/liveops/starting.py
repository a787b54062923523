"""How an operation is started, whoever asks: the page or the API."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.forms import ModelForm, modelform_factory
from django.utils import timezone

from liveops.audit import note
from liveops.conf import conf
from liveops.models import LiveOperation
from liveops.tasks import submit
from liveops.uploads import CheckedUploads

RATE_PERIOD = timedelta(minutes=1)


class TooManyStarts(Exception):
    """The user has started as many as `LIVEOPS["MAX_STARTS_PER_MINUTE"]` allows."""

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(f"more than {limit} starts within a minute")
        self.limit = limit
        # Seconds until the next start may succeed.
        self.retry_after = retry_after


def form_class_for(kind: type[LiveOperation]) -> type[ModelForm]:
    """The form that checks the input of this kind, with the site's limits on uploads."""
    base = kind.form_class or modelform_factory(kind, fields=kind.input_fields())
    return type(base.__name__, (CheckedUploads, base), {"__module__": base.__module__})


def start(form: ModelForm, *, by: Any, form_key: uuid.UUID | None = None) -> LiveOperation:
    """Start what a valid form describes, and return it.

    Whoever sends the same `form_key` again gets the operation that it started the first time.
    Raises TooManyStarts.
    """
    if form_key is not None and (started := _started_with(form_key, by)):
        return started
    _count_starts(by)
    operation: LiveOperation = form.save(commit=False)
    operation.owner = by
    operation.form_key = form_key
    try:
        with transaction.atomic():
            submit(operation, by=by)
            form.save_m2m()
    except IntegrityError:
        # The same form came twice at the same moment.
        started = _started_with(form_key, by) if form_key else None
        if started is None:
            raise
        return started
    return operation


def _started_with(form_key: uuid.UUID, by: Any) -> LiveOperation | None:
    found = LiveOperation.objects.filter(owner_id=by.pk, form_key=form_key).first()
    return found and found.as_kind()


def _count_starts(user: Any) -> None:
    """The record counts, so the limit holds over all web servers, and without Redis."""
    limit = conf.MAX_STARTS_PER_MINUTE
    if not limit:
        return
    now = timezone.now()
    recent = LiveOperation.objects.filter(owner_id=user.pk, created_at__gt=now - RATE_PERIOD)
    # The oldest of the last `limit` starts has to be a minute old before there is room again.
    times = list(recent.order_by("-created_at").values_list("created_at", flat=True)[:limit])
    if len(times) == limit:
        wait = times[-1] + RATE_PERIOD - now
        note("start refused", user=user, why="too many starts")
        raise TooManyStarts(limit, max(1, int(wait.total_seconds()) + 1))
