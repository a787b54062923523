"""Websocket addresses."""

from typing import Any

from django.urls import path, re_path

from liveops.close_codes import allow_every_code
from liveops.consumers import LiveOperationConsumer
from liveops.handshake import refuse

allow_every_code()

# Django's types know views only.
live_operation: Any = LiveOperationConsumer.as_asgi()
nothing_here: Any = refuse

websocket_urlpatterns = [
    path("ws/liveops/", live_operation),
    re_path("", nothing_here),
]
