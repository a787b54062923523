"""The engine of live operations."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class LiveopsConfig(AppConfig):
    name = "liveops"
    verbose_name = _("Live operations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Every app may check what it needs; a check registers itself when it is imported.
        autodiscover_modules("checks")
        # Its signals are of models, which have to be loaded first.
        import_module("liveops.revocation")
