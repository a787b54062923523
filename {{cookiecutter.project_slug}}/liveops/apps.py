"""The engine of live operations."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LiveopsConfig(AppConfig):
    name = "liveops"
    verbose_name = _("Live operations")
    default_auto_field = "django.db.models.BigAutoField"
