"""What the scheduler has done once an hour."""

from importlib import import_module

from axes.models import AccessAttempt
from celery import shared_task
from django.conf import settings
from django.utils import timezone


@shared_task(name="accounts.forget", ignore_result=True)
def forget() -> None:
    """Delete sessions that have ended, and failures to sign in that count no more."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    AccessAttempt.objects.filter(
        attempt_time__lt=timezone.now() - settings.AXES_COOLOFF_TIME
    ).delete()
