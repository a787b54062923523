from django.apps import AppConfig


class KindsConfig(AppConfig):
    """Kinds that only tests start."""

    name = "tests.kinds"
    label = "kinds"
