"""What it looks like when a service is away for a moment."""

from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

# A lost connection, or a lock that was not released in time.
DATABASE_UNAVAILABLE = (OperationalError, InterfaceError)
# Of the channel layer and of the cache; TimeoutError is an OSError.
REDIS_UNAVAILABLE = (RedisError, OSError)
