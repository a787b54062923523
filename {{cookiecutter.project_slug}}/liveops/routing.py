"""Websocket addresses."""

from typing import Any

from django.urls import path

from liveops.close_codes import allow_every_code
from liveops.consumers import LiveOperationConsumer
from liveops.outage import ClosedWithoutRedis

allow_every_code()

live_operations: Any = ClosedWithoutRedis(LiveOperationConsumer.as_asgi())

websocket_urlpatterns = [path("ws/liveops/", live_operations)]
