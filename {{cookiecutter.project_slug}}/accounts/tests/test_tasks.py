"""What is over is deleted, and nothing else."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.tasks import forget

pytestmark = pytest.mark.django_db


def test_sessions_that_have_ended_go() -> None:
    now = timezone.now()
    for key, ends in {"over": now - timedelta(seconds=1), "open": now + timedelta(hours=1)}.items():
        Session.objects.create(session_key=key, session_data="", expire_date=ends)
    forget()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]


def test_failures_that_count_no_more_go() -> None:
    now = timezone.now()
    for name, age in {"old": settings.AXES_COOLOFF_TIME, "new": timedelta()}.items():
        attempt = AccessAttempt.objects.create(username=name, failures_since_start=1)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=now - age)
    forget()
    assert [attempt.username for attempt in AccessAttempt.objects.all()] == ["new"]


def test_the_scheduler_asks_for_it() -> None:
    assert settings.CELERY_BEAT_SCHEDULE["forget"]["task"] == forget.name
