"""The ASGI application: Django for HTTP, the live pages' consumer for websockets."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Django must be set up before the consumers, which import models, can be imported.
django_application = get_asgi_application()

from liveops.conf import conf
from liveops.handshake import LimitedByAddress, NotedRefusals
from liveops.kept_connections import KeptConnections
from liveops.outage import ClosedDuringOutage
from liveops.routing import websocket_urlpatterns

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
