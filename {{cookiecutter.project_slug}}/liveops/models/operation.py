"""The row that everything else refers to."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from liveops import metrics
from liveops.models.event import OperationEvent
from liveops.models.kind import Kind, kind_class
from liveops.models.state import ACTIVE, RETRYABLE, State
from liveops.security import make_subscription_token

Operation_co = TypeVar("Operation_co", bound="LiveOperation", covariant=True)

# What a new attempt starts from.
FRESH: dict[str, Any] = {
    "seq": 0,
    "percent": None,
    "tracking": None,
    "status_text": "",
    "status_level": "info",
    "stage_states": {},
    "regions": {},
    "result_context": None,
    "error": "",
    "traceback": "",
    "log_lines": 0,
    "started_at": None,
    "finished_at": None,
    "heartbeat_at": None,
    "cancel_requested_at": None,
    "worker": "",
    "held": False,
    "next_operation": None,
}


class OperationManager(models.Manager[Operation_co]):
    """A proxy kind shares the table, so it has to leave the rows of other kinds out."""

    def get_queryset(self) -> models.QuerySet[Operation_co]:
        rows = super().get_queryset()
        return rows.filter(kind=self.model.kind_name()) if self.model._meta.proxy else rows

    def find(self, pk: uuid.UUID) -> Operation_co | None:
        """The operation with this key, or None. `filter().first()` would sort, for a third more."""
        try:
            return self.get(pk=pk)
        except self.model.DoesNotExist:
            return None


class LiveOperation(Kind):
    """A long job that somebody started. A kind of job is a subclass with a `run(self, p)`.

    A kind with input of its own is an ordinary subclass with model fields, one without is a proxy
    (`class Meta: proxy = True`). Every change of state is one conditional UPDATE, so that it
    succeeds for exactly one caller, and leaves an `OperationEvent`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("owner"),
    )
    kind = models.CharField(_("kind"), max_length=120, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.QUEUED, editable=False
    )
    # Counts from 1; each retry is a new attempt with a log of its own.
    attempt = models.PositiveIntegerField(_("attempt"), default=1, editable=False)
    # The newest frame of this attempt that the record holds.
    seq = models.PositiveBigIntegerField(default=0, editable=False)

    percent = models.FloatField(_("percent"), null=True, editable=False)
    # label, unit, done, total (or None), rate (per second), eta (seconds, or None)
    tracking = models.JSONField(null=True, editable=False)
    status_text = models.TextField(_("status"), blank=True, default="", editable=False)
    status_level = models.CharField(max_length=10, default="info", editable=False)
    # name → {"state": active|done|failed|cancelled, "started": Unix seconds, "seconds": float}
    stage_states = models.JSONField(default=dict, editable=False)
    # selector → HTML
    regions = models.JSONField(default=dict, editable=False)
    result_context = models.JSONField(
        _("result"), null=True, encoder=DjangoJSONEncoder, editable=False
    )
    error = models.TextField(_("error"), blank=True, default="", editable=False)
    traceback = models.TextField(_("traceback"), blank=True, default="", editable=False)
    log_lines = models.PositiveBigIntegerField(_("log lines"), default=0, editable=False)

    # A start form carries one, so that sending it twice makes one operation.
    form_key = models.UUIDField(null=True, editable=False)
    # How far a resumable run has come; outlives its attempt.
    cursor = models.JSONField(null=True, encoder=DjangoJSONEncoder, editable=False)
    language = models.CharField(max_length=20, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    queued_at = models.DateTimeField(_("queued"), default=timezone.now, editable=False)
    # There was no room to run it when its message came: it waits for its turn.
    held = models.BooleanField(default=False, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)
    heartbeat_at = models.DateTimeField(_("heartbeat"), null=True, editable=False)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, editable=False)
    worker = models.CharField(_("worker"), max_length=120, blank=True, default="", editable=False)
    next_operation = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = OperationManager()

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "form_key"], name="liveops_form_once")
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="liveops_of_owner"),
            models.Index(
                fields=["state", "heartbeat_at"],
                condition=models.Q(state__in=[State.QUEUED, State.RUNNING]),
                name="liveops_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.pk}"

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any
    ) -> "LiveOperation":
        operation = super().from_db(db, field_names, values, **kwargs)
        # A row read through the base class still shows the title of its kind.
        if cls is LiveOperation and "kind" in field_names:
            kind = kind_class(operation.kind)
            operation.title = kind.title if kind else operation.kind
            operation.icon = kind.icon if kind else cls.icon
            operation.stages = kind.stages if kind else []
        return operation

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.kind = self.kind_name()
            self.language = self.language or get_language() or ""
        super().save(*args, **kwargs)

    # What a kind defines

    def run(self, p: Any) -> None:
        """Do the work and report to `p`; see `liveops.progress.Progress`."""
        raise NotImplementedError(f"{type(self).__name__} has no run(self, p)")

    def on_restart(self) -> None:
        """Undo what an earlier attempt left behind; called in the transaction of a retry."""

    def get_success_url(self) -> str | None:
        """Where the page goes when the operation succeeds while watched; None: it stays."""
        return None

    # What templates and views ask

    def get_absolute_url(self) -> str:
        return reverse("liveops:live", args=[self.pk])

    @property
    def subscription_token(self) -> str:
        """A token for the owner, bound to no session; `{% live_operation %}` binds its own."""
        return make_subscription_token(self.owner, self)

    def get_channel_name(self) -> str:
        return f"liveop.{self.pk}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_finished(self) -> bool:
        return not self.is_active

    @property
    def can_cancel(self) -> bool:
        return self.is_active and self.cancel_requested_at is None

    @property
    def can_retry(self) -> bool:
        return self.state in RETRYABLE

    @property
    def stage_list(self) -> list[dict[str, Any]]:
        """The stages in order: `{"name", "state", "seconds"}`; unannounced ones come last."""
        names = [*map(str, self.stages)]
        # PostgreSQL keeps the keys of a JSON object in an order of its own.
        began = {name: stage["started"] for name, stage in self.stage_states.items()}
        names += [name for name in sorted(began, key=began.__getitem__) if name not in names]
        waiting = {"state": "pending", "seconds": None}
        return [{"name": name, **self.stage_states.get(name, waiting)} for name in names]

    def as_kind(self) -> "LiveOperation":
        """This operation as an instance of its own class, or itself when that class is gone."""
        kind = kind_class(self.kind)
        if kind is None or type(self) is kind:
            return self
        return kind._base_manager.get(pk=self.pk)

    # Transitions

    def submit(self, by: Any, why: str = "started") -> None:
        """Save a new operation, which then waits for a worker."""
        with transaction.atomic():
            self.save(force_insert=True)
            OperationEvent.objects.create(
                operation=self, user=by, attempt=self.attempt, to_state=self.state, why=why
            )
            transaction.on_commit(metrics.STARTED.labels(self.kind).inc, robust=True)

    @classmethod
    def claim(cls, pk: uuid.UUID | str, attempt: int, worker: str) -> "LiveOperation | None":
        """Give this attempt to one worker; None for every later or stale caller."""
        operation = LiveOperation.objects.filter(pk=pk, attempt=attempt).first()
        if operation is None or not operation._move(
            [State.QUEUED],
            State.RUNNING,
            why=f"claimed by {worker}"[:200],
            worker=worker[:120],
            started_at=Now(),
            heartbeat_at=Now(),
        ):
            return None
        # `queued_at` moves on when the message is sent again.
        queued = OperationEvent.objects.filter(
            operation=operation, attempt=attempt, to_state=State.QUEUED
        )
        for since in queued.values_list("at", flat=True)[:1]:
            metrics.WAIT_SECONDS.labels(operation.kind).observe(metrics.seconds_since(since))
        return LiveOperation.objects.get(pk=pk).as_kind()

    def save_cursor(self, cursor: Any) -> bool:
        """Store how far this attempt has come. False: the row is another attempt's by now."""
        mine = LiveOperation.objects.filter(pk=self.pk, attempt=self.attempt, state=State.RUNNING)
        return bool(mine.update(cursor=cursor))

    def finish(self, to: State, *, why: str = "", **changes: Any) -> bool:
        """End a running attempt. False: it is not this run's to end any more."""
        return self._move([State.RUNNING], to, why=why, finished_at=Now(), **changes)

    def declare_lost(
        self, *, why: str, silent_since: datetime | None = None, cancelled_by: Any = None
    ) -> bool:
        """End a run whose worker vanished: CANCELLED if somebody asked for that, else LOST.

        With `silent_since`, not if the row shows a later sign of life after all.
        """
        only = {"heartbeat_at__lte": silent_since} if silent_since else None
        wanted = cancelled_by is not None or self.cancel_requested_at is not None
        return self._move(
            [State.RUNNING],
            State.CANCELLED if wanted else State.LOST,
            by=cancelled_by,
            why=why,
            only=only,
            seq=F("seq") + 1,
            finished_at=Now(),
        )

    def cancel(self, by: Any = None) -> bool:
        """End a queued operation at once; ask a running one to end. False: it has ended."""
        if self._move(
            [State.QUEUED],
            State.CANCELLED,
            by=by,
            why="cancelled in the queue",
            seq=F("seq") + 1,
            finished_at=Now(),
        ):
            return True
        return self._move(
            [State.RUNNING],
            State.RUNNING,
            by=by,
            why="cancel requested",
            cancel_requested_at=Coalesce("cancel_requested_at", Now()),
        )

    def restart(self, by: Any = None, why: str = "retry") -> bool:
        """Queue a new attempt of an operation that did not succeed. False: nothing to retry."""
        with transaction.atomic():
            attempt = self.attempt + 1
            fresh = {**FRESH, "attempt": attempt, "queued_at": Now()}
            if not self._move(list(RETRYABLE), State.QUEUED, by=by, why=why, **fresh):
                return False
            self.as_kind().on_restart()
        return True

    def _move(
        self,
        from_states: Sequence[State],
        to: State,
        *,
        by: Any = None,
        why: str,
        only: dict[str, Any] | None = None,
        **changes: Any,
    ) -> bool:
        """Move this attempt from one of the states, once; refresh the attributes touched."""
        mine = LiveOperation.objects.filter(pk=self.pk, attempt=self.attempt, **(only or {}))
        with transaction.atomic():
            for state in from_states:
                if mine.filter(state=state).update(state=to, **changes):
                    break
            else:
                return False
            OperationEvent.objects.create(
                operation_id=self.pk,
                user=by,
                attempt=changes.get("attempt", self.attempt),
                from_state=state,
                to_state=to,
                why=why,
            )
            counted = partial(metrics.count_move, self.kind, to, self.started_at)
            transaction.on_commit(counted, robust=True)
        self.refresh_from_db(fields=["state", *changes])
        return True
