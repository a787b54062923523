"""The generated site's own settings, with the benchmark's operations and without its limits.

Raised: how many sockets and starts one user may have, because one user stands for all watchers.
"""

from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "bench_operations"]
LIVEOPS = {
    **LIVEOPS,
    "MAX_CONNECTIONS_PER_USER": 100_000,
    "MAX_CONNECTIONS_PER_ADDRESS": 100_000,
    "MAX_STARTS_PER_MINUTE": 0,
}
