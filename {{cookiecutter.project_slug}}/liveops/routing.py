"""Websocket addresses."""

from django.urls import path

from liveops.close_codes import allow_every_code
from liveops.consumers import LiveOperationConsumer
from liveops.outage import ClosedWithoutRedis

allow_every_code()

websocket_urlpatterns = [path("ws/liveops/", ClosedWithoutRedis(LiveOperationConsumer.as_asgi()))]
