"""API tokens end with the password, and their sockets with them."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, pre_save
from django.dispatch import receiver
from rest_framework.authtoken.models import Token

from liveops.audit import note
from liveops.revocation import revoke_clients

User = get_user_model()


@receiver(post_delete, sender=Token)
def on_token_deleted(instance: Token, **kwargs: Any) -> None:
    note("api token ended", user=instance.user_id)
    revoke_clients(instance.user_id)


@receiver(pre_save, sender=User)
def on_user_saved(instance: Any, update_fields: Any, **kwargs: Any) -> None:
    """Whoever changes a password wants everything shut out that knew the old one."""
    if instance.pk is None or (update_fields is not None and "password" not in update_fields):
        return
    stored = User._default_manager.filter(pk=instance.pk).values_list("password", flat=True)
    if any(password != instance.password for password in stored):
        for token in Token.objects.filter(user_id=instance.pk):
            token.delete()
