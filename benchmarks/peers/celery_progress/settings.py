"""A minimal site for celery-progress: no sessions, no database; that makes a poll cheaper."""

import os

SECRET_KEY = "for-this-machine-only-and-for-the-time-of-a-benchmark"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = ["daphne", "celery_progress"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "urls"
ASGI_APPLICATION = "asgi.application"
CELERY_BROKER_URL = os.environ["REDIS_URL"]
CELERY_RESULT_BACKEND = os.environ["REDIS_URL"]
