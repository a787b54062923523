"""Websocket addresses."""

from django.urls import path

from liveops.consumers import LiveOperationConsumer

websocket_urlpatterns = [path("ws/liveops/", LiveOperationConsumer.as_asgi())]
