"""System checks: one id for each setting that can be wrong.

`values` looks at `LIVEOPS` itself, `kind_attributes` at the kinds, `services` at Redis and Celery,
`site` at the rest.
"""

from liveops.checks import kind_attributes, services, site, values

__all__ = ["kind_attributes", "services", "site", "values"]
