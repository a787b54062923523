"""Old operations are deleted, with their logs and files."""

import logging
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.db.models import Q, Sum
from django.db.models.deletion import Collector
from django.utils import timezone

from liveops.conf import conf
from liveops.failures import DATABASE_UNAVAILABLE
from liveops.models import FINISHED, LiveOperation, LogChunk, kind_class
from liveops.models.files import delete_now, stored_files

logger = logging.getLogger(__name__)

# Operations, and chunks of their logs, that one transaction deletes at most.
BATCH = 200
CHUNKS = 500
# Whoever else writes to SQLite gets a turn for as long as a transaction took, up to this.
LONGEST_PAUSE = 1.0


@dataclass(kw_only=True)
class Tally:
    """What was deleted, or would be."""

    # By kind: "operations.importcontacts" → how many.
    operations: Counter[str] = field(default_factory=Counter)
    log_lines: int = 0
    files: int = 0
    # Could not be deleted, because something refers to them or a file is locked.
    kept: int = 0

    def add(self, other: "Tally") -> None:
        self.operations += other.operations
        self.log_lines += other.log_lines
        self.files += other.files
        self.kept += other.kept


def expired(days: float) -> models.QuerySet[LiveOperation]:
    """The operations that ended more than so many days ago."""
    return _ended_before(timezone.now() - timedelta(days=days))


def _ended_before(moment: datetime) -> models.QuerySet[LiveOperation]:
    return LiveOperation.objects.filter(state__in=FINISHED, finished_at__lt=moment)


def survey(old: models.QuerySet[LiveOperation]) -> Tally:
    """Count what `purge` would delete; changes nothing."""
    by_kind = old.order_by().values_list("kind").annotate(models.Count("pk"))
    tally = Tally(operations=Counter(dict(by_kind)))
    logs = LogChunk.objects.filter(operation__in=old)
    tally.log_lines = logs.aggregate(lines=Sum("line_count"))["lines"] or 0
    for name in tally.operations:
        tally.files += _count_files(kind_class(name), old.filter(kind=name))
    return tally


def _count_files(model: type[LiveOperation] | None, old: models.QuerySet[LiveOperation]) -> int:
    if model is None:
        return 0
    names = [each.name for each in model._meta.fields if isinstance(each, models.FileField)]
    rows = model._base_manager.filter(pk__in=old.values("pk"))
    return sum(rows.exclude(Q(**{name: ""}) | Q(**{name: None})).count() for name in names)


def purge_expired() -> None:
    """What Celery beat has done once an hour."""
    if not conf.RETENTION_DAYS:
        return
    tally = Tally()
    try:
        for part in purge(expired(conf.RETENTION_DAYS)):
            tally.add(part)
    except DATABASE_UNAVAILABLE as error:
        logger.warning("left to the next purge: %s", error)
    logger.info(
        "purged %s operations, %s log lines, %s files",
        tally.operations.total(),
        tally.log_lines,
        tally.files,
    )


def purge(old: models.QuerySet[LiveOperation], batch: int = BATCH) -> Generator[Tally, None, None]:
    """Delete operations and yield what each transaction deleted.

    Every transaction is short, memory does not grow with their number, and whenever it is
    interrupted, the next purge finds what is left.
    """
    for kind in list(old.order_by("kind").values_list("kind", flat=True).distinct()):
        keys = old.filter(kind=kind).order_by("pk").values_list("pk", flat=True)
        some = list(keys[:batch])
        while some:
            yield from _purge_some(old, kind, some)
            some = list(keys.filter(pk__gt=some[-1])[:batch])


def _purge_some(
    old: models.QuerySet[LiveOperation], kind: str, keys: Sequence[UUID]
) -> Iterator[Tally]:
    try:
        done = False
        while not done:
            began = time.monotonic()
            tally, done = _transaction(old, kind, keys)
            yield tally
            time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))
    # A row of the site's own refers to one of them, or a file cannot be deleted.
    except (IntegrityError, OSError) as error:
        if len(keys) == 1:
            logger.warning("%s %s is kept: %s", kind, keys[0], error)
            yield Tally(kept=1)
            return
        for key in keys:
            yield from _purge_some(old, kind, [key])


def _transaction(
    old: models.QuerySet[LiveOperation], kind: str, keys: Sequence[UUID]
) -> tuple[Tally, bool]:
    """Delete logs, and once these are gone, the operations: then the second value is True."""
    model = kind_class(kind) or LiveOperation
    with transaction.atomic():
        # Asked again under the lock: meanwhile somebody may have clicked on Retry.
        locked = old.filter(pk__in=keys).select_for_update(skip_locked=True)
        free = list(locked.values_list("pk", flat=True))
        rows = model._base_manager.filter(pk__in=free)
        collector = Collector(using=rows.db, origin=rows)
        collector.collect(rows)
        log_lines, done = _delete_logs(rows)
        if not done:
            return Tally(log_lines=log_lines), False
        # Before the rows are, which an interrupted purge would need to find the files again.
        files = _delete_files(collector)
        collector.delete()
    return Tally(operations=Counter({kind: len(free)}), log_lines=log_lines, files=files), True


def _delete_logs(rows: models.QuerySet[LiveOperation]) -> tuple[int, bool]:
    """Delete the oldest chunks; returns their lines, and whether nothing is left."""
    keys = rows.values_list("pk", flat=True)
    chunks = LogChunk.objects.filter(operation__in=keys)
    oldest = chunks.order_by("operation", "attempt", "first_line")
    found = list(oldest.values_list("pk", "line_count")[:CHUNKS])
    LogChunk.objects.filter(pk__in=[key for key, _lines in found]).delete()
    return sum(lines for _key, lines in found), len(found) < CHUNKS


def _delete_files(collector: Collector) -> int:
    files = [
        file
        for _model, instance in collector.instances_with_model()
        for file in stored_files(instance)
    ]
    for file in files:
        delete_now(file)
    return len(files)
