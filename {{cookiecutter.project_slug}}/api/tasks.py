"""What the scheduler has done once an hour."""

from celery import shared_task
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken


@shared_task(name="api.forget", ignore_result=True)
def forget() -> None:
    """Delete what is known of refresh tokens that nobody can use any more."""
    OutstandingToken.objects.filter(expires_at__lt=timezone.now()).delete()
