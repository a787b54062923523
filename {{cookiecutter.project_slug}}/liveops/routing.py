"""Websocket addresses."""

from django.urls import path

from liveops.consumers import LiveOperationConsumer
from liveops.outage import ClosedWithoutRedis

websocket_urlpatterns = [path("ws/liveops/", ClosedWithoutRedis(LiveOperationConsumer.as_asgi()))]
