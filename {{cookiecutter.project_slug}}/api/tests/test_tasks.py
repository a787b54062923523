"""Refresh tokens that are over are forgotten, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from api.tasks import forget


@pytest.mark.django_db
def test_tokens_that_have_expired_go() -> None:
    now = timezone.now()
    ends: dict[str, Any] = {"over": now - timedelta(seconds=1), "good": now + timedelta(hours=1)}
    for name, at in ends.items():
        OutstandingToken.objects.create(jti=name, token=name, expires_at=at)
    forget()
    assert list(OutstandingToken.objects.values_list("jti", flat=True)) == ["good"]


def test_the_scheduler_asks_for_it() -> None:
    assert settings.CELERY_BEAT_SCHEDULE["api-forget"]["task"] == forget.name
