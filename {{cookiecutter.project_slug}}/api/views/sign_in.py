"""Credentials for programs: an API token that lasts, or JSON web tokens that do not."""

from typing import Any, ClassVar

from django.contrib.auth import authenticate
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from api.errors import Fault, Invalid
from api.jwt import RefreshToken
from api.openapi import REFUSALS, REFUSALS_OF_SIGN_IN
from api.permissions import enforce
from api.throttles import SignIns
from api.views.base import View
from liveops.address import address_of
from liveops.audit import note
from liveops.policy import decide


class Credential(serializers.CharField):
    """Text as it was typed, without what no database can hold."""

    def __init__(self, max_length: int) -> None:
        without_null = RegexValidator(r"^[^\u0000]*$")
        super().__init__(max_length=max_length, trim_whitespace=False, validators=[without_null])


class Credentials(serializers.Serializer):
    username = Credential(max_length=150)
    password = Credential(max_length=4096)


class ApiToken(serializers.Serializer):
    token = serializers.CharField()


class Refresh(serializers.Serializer):
    refresh = Credential(max_length=4096)


class Pair(serializers.Serializer):
    access = serializers.CharField()
    refresh = serializers.CharField()


class SignInView(View):
    """Asks nobody who they are, so neither cookies nor CSRF play a part."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes: ClassVar[tuple[type[BaseThrottle], ...]] = (SignIns,)

    def get_authenticate_header(self, request: Request) -> str:
        return JWTAuthentication().authenticate_header(request)

    def sign_in(self, request: Request) -> Any:
        """The user whose name and password the body has. Failures are counted by the back ends."""
        sent = read_body(request, Credentials)
        # Django's request, on which the site's sign-in says whether somebody has to wait.
        asked = request._request
        user = authenticate(request=asked, **sent)
        if user is None:
            if getattr(asked, "axes_locked_out", False):
                raise Throttled(detail=_("Too many failures to sign in. Wait some minutes."))
            raise AuthenticationFailed(_("The user name or the password is wrong."))
        enforce(decide(user))
        return user

    def note(self, event: str, request: Request, user: Any) -> None:
        note(event, user=user, address=address_of(request._request))


class TokenView(SignInView):
    """The one API token of a user: POST gives it, and DELETE ends it with all its sockets."""

    def get_authenticators(self) -> list[Any]:
        # Whoever deletes it has to be signed in.
        if self.request is not None and self.request.method == "DELETE":
            return [each() for each in View.authentication_classes]
        return []

    def get_permissions(self) -> list[Any]:
        ends = self.request is not None and self.request.method == "DELETE"
        return [each() for each in View.permission_classes] if ends else []

    @extend_schema(
        operation_id="get_api_token",
        summary="Your API token, for “Authorization: Token …”. It lasts until it is deleted.",
        auth=[],
        request=Credentials,
        responses={200: ApiToken, **REFUSALS_OF_SIGN_IN},
    )
    def post(self, request: Request) -> Response:
        user = self.sign_in(request)
        token, _created = Token.objects.get_or_create(user=user)
        self.note("api token issued", request, user)
        return Response({"token": token.key})

    @extend_schema(
        operation_id="delete_api_token",
        summary="Delete your API token, and close the websockets that were opened with it.",
        responses={204: None, **REFUSALS},
    )
    def delete(self, request: Request) -> Response:
        for token in Token.objects.filter(user=request.user):
            token.delete()
        return Response(status=204)


class JWTView(SignInView):
    @extend_schema(
        operation_id="get_jwt",
        summary="An access token for “Authorization: Bearer …”, and what renews it.",
        auth=[],
        request=Credentials,
        responses={200: Pair, **REFUSALS_OF_SIGN_IN},
    )
    def post(self, request: Request) -> Response:
        user = self.sign_in(request)
        forget_old_tokens(user)
        refresh = RefreshToken.for_user(user)
        self.note("jwt issued", request, user)
        return Response({"access": str(refresh.access_token), "refresh": str(refresh)})


class JWTRefreshView(SignInView):
    @extend_schema(
        operation_id="refresh_jwt",
        summary="The next pair of tokens for a refresh token, which works once.",
        auth=[],
        request=Refresh,
        responses={200: Pair, **REFUSALS_OF_SIGN_IN},
    )
    def post(self, request: Request) -> Response:
        sent = read_body(request, Refresh)
        try:
            user = JWTAuthentication().get_user(RefreshToken(sent["refresh"]))
            enforce(decide(user))
            pair = Rotation().validate(sent)
            forget_old_tokens(user)
        except TokenError as error:
            raise InvalidToken(_("The refresh token is none, too old, or was used before.")) from (
                error
            )
        self.note("jwt refreshed", request, user)
        return Response(pair)


def forget_old_tokens(user: Any) -> None:
    OutstandingToken.objects.filter(user=user, expires_at__lt=timezone.now()).delete()


class Rotation(TokenRefreshSerializer):
    token_class = RefreshToken


def read_body(request: Request, body_class: type[serializers.Serializer]) -> dict[str, Any]:
    """The checked body; what is wrong with it is said without its values, which are secrets."""
    body = body_class(data=request.data)
    if not body.is_valid():
        raise Invalid(
            Fault(field=name, code=error.code, message=str(error))
            for name, errors in body.errors.items()
            for error in errors
        )
    values: dict[str, Any] = body.validated_data
    return values
