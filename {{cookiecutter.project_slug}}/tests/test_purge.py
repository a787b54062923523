"""Old operations are purged on a running site, by the worker and by hand, on both databases."""

import threading
import time
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import User
from liveops.models import LiveOperation, LogChunk, State
from tests.processes import wait_until
from tests.services import Stack

YEARS = timedelta(days=5_000)


def make_old(count: int, age: timedelta = YEARS) -> list[LiveOperation]:
    """Greetings that ended so long ago, each with ten log lines."""
    owner, _new = User.objects.get_or_create(username="of-old-times")
    ended = timezone.now() - age
    old = [
        LiveOperation(owner=owner, kind="kinds.greeting", state=State.SUCCEEDED, finished_at=ended)
        for _ in range(count)
    ]
    LiveOperation.objects.bulk_create(old, 500)
    LogChunk.objects.bulk_create(
        [
            LogChunk(operation=each, attempt=1, seq=1, first_line=1, line_count=10, body="[]")
            for each in old
        ],
        500,
    )
    return old


def left(operations: list[LiveOperation]) -> int:
    return LiveOperation.objects.filter(pk__in=[each.pk for each in operations]).count()


def test_the_worker_purges_what_is_older_than_the_setting(stack: Stack) -> None:
    old, young = make_old(50), make_old(1, timedelta(days=80))
    stack.manage("shell", "-v0", "-c", "from liveops.tasks import purge; purge.delay()")
    wait_until(lambda: not left(old), "the worker has purged")
    assert left(young) == 1


def test_two_purges_at_once_share_the_work(stack: Stack) -> None:
    old = make_old(2_000)
    said: list[str] = []
    purge = ("purge_operations", "--older-than", "4000", "--batch", "50")
    both = [threading.Thread(target=lambda: said.append(stack.manage(*purge))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    deleted = [int(text.split("Deleted ")[1].split()[0].replace(",", "")) for text in said]
    assert sum(deleted) == 2_000
    assert not left(old)


def test_others_write_while_a_purge_runs(stack: Stack) -> None:
    old = make_old(4_000)
    user = User.objects.get(username="of-old-times")
    purge = threading.Thread(target=stack.manage, args=("purge_operations", "--older-than", "4000"))
    purge.start()
    waits = []
    while purge.is_alive():
        began = time.monotonic()
        user.save(update_fields=["last_name"])
        waits.append(time.monotonic() - began)
        time.sleep(0.02)
    purge.join()
    connection.close()
    assert not left(old)
    assert max(waits) < 2
    print(f"the longest write took {max(waits):.2f} s", end=" ")
