"""The operations of this site."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "operations"
    verbose_name = _("Contacts and operations")
    default_auto_field = "django.db.models.BigAutoField"
