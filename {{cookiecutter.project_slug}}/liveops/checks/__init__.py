"""System checks: one id for each setting that can be wrong.

`values` looks at `LIVEOPS` itself, `services` at Redis and Celery, `site` at the rest.
"""

from liveops.checks import services, site, values

__all__ = ["services", "site", "values"]
