"""What the database says about operations that wait or run."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, F, Min

from liveops.metrics import seconds_since
from liveops.models import ACTIVE, LiveOperation, State


@dataclass(frozen=True, kw_only=True)
class QueueState:
    # (kind, state) → how many
    active: Counter[tuple[str, str]]
    # kind → seconds that its oldest queued operation has been waiting
    oldest: dict[str, float]


def read_queue_state() -> QueueState:
    """Reads the active rows alone, of which a partial index knows, however many have ended."""
    rows = LiveOperation.objects.order_by()
    active: Counter[tuple[str, str]] = Counter()
    counted = rows.filter(state__in=ACTIVE).values_list("kind", "state")
    for kind, state, number in counted.annotate(number=Count("pk")):
        active[kind, state] = number
    # Since when is in the audit trail: `queued_at` moves on when the message is sent again.
    queued = rows.filter(
        state=State.QUEUED, events__to_state=State.QUEUED, events__attempt=F("attempt")
    )
    since = queued.values_list("kind").annotate(since=Min("events__at"))
    return QueueState(active=active, oldest={kind: seconds_since(at) for kind, at in since})
