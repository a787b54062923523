"""The ASGI application: Django for HTTP, the live pages' consumer for websockets."""

import gc
import os
from typing import Any

import autobahn.websocket.protocol
import daphne.cli
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

from config import telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# For workers, which have children; a web server is one process, and shows its figures itself.
os.environ.update({"WORKER_METRICS": "", "PROMETHEUS_MULTIPROC_DIR": ""})

if settings.TRACES:
    telemetry.start_traces()
# Django must be set up before the consumers, which import models, can be imported.
django_application = get_asgi_application()

from config.logs import LoggedAccess
from liveops.conf import conf
from liveops.handshake import LimitedByAddress, NotedRefusals
from liveops.kept_connections import KeptConnections
from liveops.outage import ClosedDuringOutage
from liveops.routing import websocket_urlpatterns

if settings.LOG_FORMAT == "json":
    # Daphne prints its access lines past `logging`, and has no option for that. It makes the
    # generator after it has imported this module.
    daphne.cli.AccessLogGenerator = LoggedAccess


def unprinted(*_args: Any, **_kwargs: Any) -> str:
    """For each socket autobahn lays out all its options, for a debug line that is never shown: 6 %
    of what it costs to let a socket in.
    """
    return ""


autobahn.websocket.protocol.pformat = unprinted

live_operations = LimitedByAddress(
    KeptConnections(ClosedDuringOutage(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))))
)

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": NotedRefusals(
            OriginValidator(live_operations, conf.ALLOWED_ORIGINS)
            if conf.ALLOWED_ORIGINS
            else AllowedHostsOriginValidator(live_operations)
        ),
    }
)

# What is loaded by now stays, so a full garbage collection, which each few hundred sockets bring
# about, need not look through it.
gc.freeze()
