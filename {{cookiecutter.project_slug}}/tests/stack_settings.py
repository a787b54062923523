"""Settings of a stack's processes: the site's own, with the test kinds and quick passwords."""

from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.kinds"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
