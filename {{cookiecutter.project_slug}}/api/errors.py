"""Every refusal is JSON of one shape: a code, what is wrong with which value, how to go on."""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.response import Response

logger = logging.getLogger(__name__)

# Longer values are cut where they are quoted.
LONGEST_VALUE = 100
RETRY_AFTER_SECONDS = 5

HOW_TO_SIGN_IN = gettext_lazy(
    "Send “Authorization: Token …” or “Authorization: Bearer …”; POST /api/auth/token/ and "
    "/api/auth/jwt/ give them for a user name and password."
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with one field, query parameter or header."""

    field: str
    code: str
    message: str
    # The value as it came, shortened; None where there was none, or where it is secret.
    value: str | None = None


def shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


class Invalid(exceptions.APIException):
    """400, with a fault for each field."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid"
    default_detail = gettext_lazy("Correct what “fields” names, and send the request again.")

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__()
        self.faults = list(faults)


class Conflict(exceptions.APIException):
    """409: the operation is in no state for this."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = gettext_lazy("The request is larger than this site accepts. Send less.")


class DatabaseBusy(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "busy"
    default_detail = gettext_lazy("The database is busy. Try again in a few seconds.")
    wait = RETRY_AFTER_SECONDS


class Unforeseen(exceptions.APIException):
    default_detail = gettext_lazy("Something went wrong here. It was logged; try again later.")


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of all views of the API."""
    refusal = as_refusal(error)
    if isinstance(refusal, Unforeseen):
        logger.error("%s", context["request"].path, exc_info=error)
    headers = {}
    if auth_header := getattr(refusal, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(refusal, "wait", None):
        headers["Retry-After"] = str(int(wait) + (int(wait) < wait))
    faults = getattr(refusal, "faults", [])
    body = {
        "error": code_of(refusal),
        "message": message_of(refusal),
        "fields": [asdict(fault) for fault in faults],
    }
    return Response(body, status=refusal.status_code, headers=headers)


def as_refusal(error: Exception) -> exceptions.APIException:
    refusal: exceptions.APIException = Unforeseen()
    match error:
        case exceptions.APIException():
            refusal = error
        case Http404():
            refusal = exceptions.NotFound()
        case DjangoPermissionDenied():
            refusal = exceptions.PermissionDenied()
        case RequestDataTooBig():
            refusal = TooLarge()
        case SuspiciousOperation() | MultiPartParserError():
            refusal = exceptions.ParseError(shown(error))
        case InterfaceError() | OperationalError():
            logger.warning("%s", error)
            refusal = DatabaseBusy()
    return refusal


def code_of(refusal: exceptions.APIException) -> str:
    codes = refusal.get_codes()
    return codes if isinstance(codes, str) else refusal.default_code


def message_of(refusal: exceptions.APIException) -> str:
    """What happened, and how to go on."""
    detail: Any = refusal.detail
    if isinstance(detail, dict):
        detail = detail.get("detail", refusal.default_detail)
    match refusal:
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return f"{detail} {HOW_TO_SIGN_IN}"
        case exceptions.UnsupportedMediaType():
            return f"{detail} " + _("Send the media type that GET /api/schema/ describes.")
    return str(detail)
