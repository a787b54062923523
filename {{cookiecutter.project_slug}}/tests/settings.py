"""Settings of the test process: whatever `.env` says, quick, and without Redis.

The processes that a `stack` starts run on `tests.stack_settings` instead.
"""

import os

os.environ.update(
    {
        "DEBUG": "1",
        "HTTPS": "0",
        "SECRET_KEY": "a-key-for-tests-that-opens-nothing-anywhere-else-0123456789",
        "SITE_NAME": "Test site",
        "DOMAIN_NAME": "testserver",
        "ADMIN_EMAIL": "admin@example.org",
        "ADMIN_PATH": "admin/",
        "TIME_ZONE": "UTC",
        "SESSION_HOURS": "",
        "SIGN_IN_FAILURES": "",
        "SIGN_IN_PAUSE_MINUTES": "",
        "DATABASE_URL": "",
        "DATABASE_POOLED": "",
        "REDIS_URL": "",
        "REDIS_SENTINELS": "",
        "REDIS_SENTINEL_PASSWORD": "",
        "BROKER_URL": "",
        "VAR_DIR": "",
        "MEDIA_ROOT": "",
        "MEDIA_BUCKET": "",
        "ALLOWED_HOSTS": "testserver",
        "LIVEOPS_REQUIRED_GROUP": "",
        "LIVEOPS_ALLOWED_ORIGINS": "",
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "line",
        "ALIVE_FILE": "",
        "METRICS_TOKEN": "a-token-for-tests-that-opens-nothing-anywhere-else",
        "WORKER_METRICS": "",
        "PROMETHEUS_MULTIPROC_DIR": "",
        "SENTRY_DSN": "",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    }
)

from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.kinds"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CELERY_BROKER_URL = CELERY_BROKER_READ_URL = CELERY_BROKER_WRITE_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
# Tests may fail to sign in as often as they want, but where they say otherwise.
AXES_ENABLED = False
# Static files need not be collected.
WHITENOISE_AUTOREFRESH = True
