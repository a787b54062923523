"""The way to the websocket, which knows no other credential."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from api.openapi import REFUSALS_OF_OBJECTS
from api.representations import SubscriptionTokenSerializer
from api.views.base import View
from liveops.conf import conf
from liveops.fragments import PROTOCOL
from liveops.security import make_subscription_token

WEBSOCKET = "/ws/liveops/"


class SubscriptionTokenView(View):
    """A browser's token is bound to its session; a client's works without one."""

    @extend_schema(
        operation_id="make_subscription_token",
        summary="A token that opens the websocket once, to follow an operation.",
        request=None,
        responses={200: SubscriptionTokenSerializer, **REFUSALS_OF_OBJECTS},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        operation = self.get_row(pk)
        in_session = isinstance(request.successful_authenticator, SessionAuthentication)
        token = make_subscription_token(
            request.user,
            operation,
            session_key=request.session.session_key if in_session else None,
            for_client=not in_session,
        )
        return Response(
            {
                "token": token,
                "websocket": WEBSOCKET,
                "protocol": PROTOCOL,
                "expires_in": conf.TOKEN_TTL,
            }
        )
