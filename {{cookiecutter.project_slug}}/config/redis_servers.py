"""Where Redis is, for the cache, the channel layer and Celery's broker.

An address is `redis://` or, with TLS, `rediss://`. With REDIS_SENTINELS its host is the name of a
master, and the sentinels say where that one is now.
"""

import os
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

CONNECT_WITHIN = 2.0
ANSWER_WITHIN = 5.0
# A worker gives a frame one second to reach Redis. When a sentinel's host is gone, the next
# sentinel has to be asked within that time.
SENTINEL_ANSWERS_WITHIN = 0.3
SENTINEL_PORT = 26379
# So that the host of a Redis is missed within a minute when it is gone without a word: redis-py
# does so by itself, but Celery does not. In seconds, and how often it is asked then.
WANTED = {"TCP_KEEPIDLE": 30, "TCP_KEEPALIVE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
# Each system has some of them.
KEEPALIVE = {getattr(socket, name): n for name, n in WANTED.items() if hasattr(socket, name)}
VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}

Address = tuple[str, int]


@dataclass(frozen=True)
class Sentinels:
    """The sentinels that say which server is the master; none: addresses are the server's own."""

    addresses: list[Address] = field(default_factory=list)
    password: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """REDIS_SENTINELS and REDIS_SENTINEL_PASSWORD; raises ImproperlyConfigured."""
        entries = os.environ.get("REDIS_SENTINELS", "").split(",")
        return cls(
            [_address(entry.strip()) for entry in entries if entry.strip()],
            os.environ.get("REDIS_SENTINEL_PASSWORD", ""),
        )


def _address(entry: str) -> Address:
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname, parts.port or SENTINEL_PORT
        is_address = host and parts.netloc == entry and not set("@ ") & set(entry)
    except ValueError:
        is_address = False
    if not is_address or host is None:
        raise ImproperlyConfigured(
            f"REDIS_SENTINELS has {entry!r}. Write host:port for each sentinel, separated by "
            "commas: 10.0.0.1:26379,10.0.0.2:26379,10.0.0.3:26379"
        )
    return host, port


class RedisServer:
    """One Redis, as each of its three users wants to be told of it."""

    def __init__(self, variable: str, url: str, sentinels: Sentinels) -> None:
        """Raises ImproperlyConfigured for a `url`, the value of `variable`, that cannot work."""
        self.url = url
        self.sentinels = sentinels.addresses
        if self.sentinels:
            self._master = _master_name(variable, url)
        try:
            self._options = parse_url(url)
        except ValueError as error:
            raise ImproperlyConfigured(f"{variable} is no address of a Redis: {error}") from error
        self._tls = _tls_options(variable, url, self._options)
        self._sentinel_options: dict[str, Any] = {
            "socket_connect_timeout": SENTINEL_ANSWERS_WITHIN,
            "socket_timeout": SENTINEL_ANSWERS_WITHIN,
            **({"password": sentinels.password} if sentinels.password else {}),
            **({"ssl": True, **self._tls} if self._tls else {}),
        }

    def for_cache(self) -> dict[str, Any]:
        """An entry of CACHES."""
        options: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_WITHIN,
            "socket_timeout": ANSWER_WITHIN,
        }
        if self.sentinels:
            options |= {
                "pool_class": "config.redis_servers.MasterPool",
                "sentinels": self.sentinels,
                "master_name": self._master,
                "sentinel_kwargs": {**self._sentinel_options, "retry": Retry(NoBackoff(), 0)},
            }
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": self.url,
            "OPTIONS": options,
        }

    def for_channel_layer(self) -> str | dict[str, Any]:
        """An entry of `hosts` in CHANNEL_LAYERS."""
        if not self.sentinels:
            return self.url
        return {
            **_without_place(self._options),
            "master_name": self._master,
            "sentinels": self.sentinels,
            "sentinel_kwargs": {**self._sentinel_options, "retry": AsyncRetry(NoBackoff(), 0)},
        }

    def for_broker(self) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """What CELERY_BROKER_URL, _TRANSPORT_OPTIONS and _USE_SSL have to be."""
        transport: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_WITHIN,
            "socket_keepalive": True,
            "socket_keepalive_options": KEEPALIVE,
        }
        # Of an address alone, Celery would take a query for all that there is to know of TLS.
        url = self.url.partition("?")[0] if self._tls else self.url
        if self.sentinels:
            transport["master_name"] = self._master
            transport["sentinel_kwargs"] = {
                **self._sentinel_options,
                "retry": Retry(NoBackoff(), 0),
            }
            url = ";".join(self._as_sentinel(*each) for each in self.sentinels)
        tls = {**self._tls}
        if tls:
            tls["ssl_cert_reqs"] = VERIFY[tls["ssl_cert_reqs"]]
        return url, transport, tls

    def _as_sentinel(self, host: str, port: int) -> str:
        """The credentials are the master's. Celery may come to use any of these addresses."""
        user, password = (
            quote(self._options.get(name) or "", safe="") for name in ("username", "password")
        )
        credentials = f"{user}:{password}@" if user or password else ""
        place = f"[{host}]" if ":" in host else host
        return f"sentinel://{credentials}{place}:{port}/{self._options.get('db', 0)}"


def broker(url: str, sentinels: Sentinels) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """`RedisServer.for_broker()` for BROKER_URL, which may name a broker of another make."""
    if urlsplit(url).scheme not in {"redis", "rediss"}:
        return url, {}, {}
    return RedisServer("BROKER_URL (else REDIS_URL counts)", url, sentinels).for_broker()


def _tls_options(variable: str, url: str, options: dict[str, Any]) -> dict[str, Any]:
    """The `ssl_` parameters of a `rediss://` address; empty: no TLS."""
    if urlsplit(url).scheme != "rediss":
        return {}
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
    # Celery would not look at the certificate unless it is told to.
    verify = tls.setdefault("ssl_cert_reqs", "required")
    if verify not in VERIFY:
        raise ImproperlyConfigured(
            f"{variable} has ssl_cert_reqs={verify}. Legal are: {', '.join(VERIFY)}; leave it out "
            "to have the certificate verified."
        )
    return tls


def _master_name(variable: str, url: str) -> str:
    """The host of the address, which `urlsplit` would turn into small letters."""
    parts = urlsplit(url)
    name = parts.netloc.rpartition("@")[2]
    if parts.scheme not in {"redis", "rediss"} or not name or ":" in name:
        raise ImproperlyConfigured(
            f"{variable} does not fit REDIS_SENTINELS. With sentinels it names the master instead "
            "of a host, and no port: redis://:password@mymaster/0, or rediss:// for TLS."
        )
    return name


def _without_place(options: dict[str, Any]) -> dict[str, Any]:
    """The sentinels say where, and pools of masters have a class of connections of their own."""
    left_out = {"host", "port", "connection_class"}
    tls = {"ssl": True} if options.get("connection_class") else {}
    return {**tls, **{name: options[name] for name in options if name not in left_out}}


class MasterPool(SentinelConnectionPool):
    """Django's cache makes its pool of an address."""

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """`options`: those that `for_cache` gives beside what a connection takes."""
        manager = Sentinel(options.pop("sentinels"), sentinel_kwargs=options.pop("sentinel_kwargs"))
        name = options.pop("master_name")
        return cls(name, manager, **options, **_without_place(parse_url(url)))
