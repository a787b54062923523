"""What may stand behind the question mark, and in the header `Idempotency-Key`."""

import uuid
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from api.errors import Fault, Invalid, shown
from liveops.models import LiveOperation, State, kinds

# No column holds a larger number.
LARGEST = 2**63 - 1
IDEMPOTENCY_KEY = "Idempotency-Key"


class ListQuery(serializers.Serializer):
    """Which operations, and which page of them."""

    state = serializers.ChoiceField(State.choices, required=False)
    page = serializers.IntegerField(min_value=1, max_value=LARGEST, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=50)

    def get_fields(self) -> dict[str, serializers.Field]:
        names = [kind.kind_name() for kind in kinds()]
        return {"kind": serializers.ChoiceField(names, required=False), **super().get_fields()}


class AttemptQuery(serializers.Serializer):
    """Which attempt of the operation, by default the current one."""

    attempt = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False)


class LogQuery(AttemptQuery):
    """Which lines of the log."""

    MAX_LIMIT = 2_000

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=500)

    def get_fields(self) -> dict[str, serializers.Field]:
        # A name that Python keeps for itself.
        first = serializers.IntegerField(min_value=1, max_value=LARGEST, default=1)
        return {**super().get_fields(), "from": first}


def read_query(request: Request, query_class: type[serializers.Serializer]) -> dict[str, Any]:
    """The values of the query string, complete. Raises Invalid."""
    sent = request.query_params
    query = query_class(data=sent.dict())
    faults = []
    for name, values in sent.lists():
        if name not in query.fields:
            text = _("There is no such parameter. There are: %(names)s.")
            message = text % {"names": ", ".join(query.fields)}
            faults.append(Fault(field=shown(name), code="unknown", message=message))
        elif len(values) > 1:
            message = _("This is given more than once.")
            faults.append(Fault(field=name, code="repeated", message=message, value=shown(values)))
    if not query.is_valid():
        faults += [
            Fault(field=name, code=error.code, message=str(error), value=given(request, name))
            for name, errors in query.errors.items()
            for error in errors
        ]
    if faults:
        raise Invalid(faults)
    found: dict[str, Any] = query.validated_data
    return found


def attempt_of(query: dict[str, Any], operation: LiveOperation) -> int:
    """The attempt that a query asks for, by default the current one. Raises NotFound."""
    attempt: int = query.get("attempt", operation.attempt)
    if attempt > operation.attempt:
        text = _("There is no such attempt, the operation is in attempt %(newest)s.")
        raise NotFound(text % {"newest": operation.attempt})
    return attempt


def given(request: Request, name: str) -> str | None:
    return shown(request.query_params[name]) if name in request.query_params else None


def idempotency_key(request: Request) -> uuid.UUID | None:
    """The key that makes a repeated start harmless. Raises Invalid."""
    text = request.headers.get(IDEMPOTENCY_KEY)
    if text is None:
        return None
    try:
        return uuid.UUID(text)
    except ValueError as error:
        message = _("This is no UUID. Make one for each start, and repeat it with each retry.")
        fault = Fault(field=IDEMPOTENCY_KEY, code="invalid", message=message, value=shown(text))
        raise Invalid([fault]) from error
