from django.apps import AppConfig


class KindsConfig(AppConfig):
    """Kinds that only tests start. Proxies all, so that no migration is needed."""

    name = "tests.kinds"
    label = "kinds"
