"""Settings of a stack's processes: the site's own, with the test kinds and quick passwords."""

import json
import os

from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.kinds"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A stack may ask for other limits and times than the site has.
LIVEOPS = {**LIVEOPS, **json.loads(os.environ.get("LIVEOPS_JSON", "{}"))}
