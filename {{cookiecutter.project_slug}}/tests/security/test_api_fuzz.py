"""Calls of the API that nobody thought of, made from its own description.

`SECURITY_API_CALLS` says how many are made, at least.
"""

import itertools
import math
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import (
    APIOperation,
    BaseSchema,
    Case,
    CheckFunction,
    GenerationMode,
    Response,
)
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.models import User
from api.jwt import AccessToken
from liveops.models import ACTIVE, LiveOperation, State
from liveops.tests.make import add_lines, make_operation
from tests.kinds.models import Greeting
from tests.processes import HOST, PYTHON, Process, answers, free_port
from tests.security.cast import make_person
from tests.security.promises import Figures
from tests.security.stack import SITE_GROUP, SecurityStack

CALLS = int(os.environ.get("SECURITY_API_CALLS", "2000"))
# Of the kinds that only tests have, those that end soon.
QUICK = {"kinds.greeting"}


@pytest.fixture
def unlimited(stack: SecurityStack) -> Iterator[str]:
    """A web server of the same site that lets one user call and start without end."""
    port = free_port()
    env = {
        **stack.env,
        "API_USER_RATE": "1000000/min",
        "API_ANON_RATE": "1000000/min",
        "API_SIGN_IN_RATE": "1000000/min",
        "LIVEOPS_JSON": '{"MAX_STARTS_PER_MINUTE": 0}',
    }
    command = [PYTHON, "-m", "daphne", "-b", HOST, "-p", str(port), "config.asgi:application"]
    web = Process("unlimited", command, env, stack.folder)
    web.start()
    try:
        web.wait_for(lambda: answers(f"http://{HOST}:{port}/healthz"), "answers /healthz")
        yield f"http://{HOST}:{port}"
    finally:
        web.stop(within=5)


@pytest.fixture
def caller(stack: SecurityStack) -> Iterator[User]:
    """Whoever makes the calls; what was started and still waits is deleted afterwards."""
    user = make_person(SITE_GROUP)
    yield user
    LiveOperation.objects.filter(owner=user, state__in=ACTIVE).delete()


class Caller(requests.Session):
    """Counts the calls."""

    calls = 0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.calls += 1
        return super().send(request, **options)


def is_harmless(path: str) -> bool:
    """Whether what it starts, if anything, ends soon."""
    _api, area, name, *_rest = [*path.strip("/").split("/"), "", ""]
    return area != "kinds" or not name.startswith("kinds.") or name in QUICK


def described(schema: BaseSchema) -> Iterator[APIOperation]:
    for found in schema.get_all_operations():
        if isinstance(found, Err):
            raise found.err()
        yield found.ok()


def ids_to_ask_for(caller: User) -> list[dict[str, str] | None]:
    """Path parameters: of operations that the caller has, or somebody else, or as they come."""
    mine = make_operation(caller, Greeting, State.SUCCEEDED, result_context={"a": [1, None]})
    add_lines(mine, "<b>one</b>", "two")
    failed = make_operation(caller, Greeting, State.FAILED, error="no luck")
    foreign = make_operation(make_person(SITE_GROUP), Greeting)
    return [None, *({"id": str(each.pk)} for each in (mine, failed, foreign))]


def test_no_call_finds_a_fault(
    stack: SecurityStack, unlimited: str, caller: User, figures: Figures
) -> None:
    token = AccessToken.for_user(caller)
    token.set_exp(lifetime=timedelta(hours=2))
    headers = {"Authorization": f"Bearer {token}"}
    description = httpx.get(f"{unlimited}/api/schema/", headers=headers, timeout=60)
    description.raise_for_status()
    schema = schemathesis.openapi.from_dict(description.json())
    operations = [operation for operation in described(schema) if is_harmless(operation.path)]
    ids = ids_to_ask_for(caller)
    session = Caller()
    examples = math.ceil(CALLS / (len(ids) * len(operations) * len(GenerationMode)))
    for round_number in itertools.count():
        for operation in operations:
            parameters = ids[round_number % len(ids)] if "{id}" in operation.path else None
            for mode in GenerationMode:
                call_often(examples, operation, mode, parameters, unlimited, headers, session)
        if session.calls >= CALLS and round_number + 1 >= len(ids):
            break
    figures.inputs += session.calls
    figures.note(f"{len(operations)} calls described")


def call_often(
    examples: int,
    operation: APIOperation,
    mode: GenerationMode,
    parameters: dict[str, str] | None,
    base_url: str,
    headers: dict[str, str],
    session: requests.Session,
) -> None:
    body = str(operation.definition.raw.get("requestBody") or {})
    # What a file has to hold is more than a description can say.
    unfit: list[CheckFunction] = [positive_data_acceptance] if "binary" in body else []

    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=parameters))
    def call(case: Case) -> None:
        response = case.call(base_url=base_url, session=session, headers=headers)
        if is_refused_by_the_web_server(case, response):
            return
        case.validate_response(
            response,
            excluded_checks=unfit,
            headers=headers,
            transport_kwargs={"session": session, "base_url": base_url},
        )

    call()


def is_refused_by_the_web_server(case: Case, response: Response) -> bool:
    """Daphne answers a form of which it can make nothing itself, with an empty 400."""
    is_form = case.media_type == "multipart/form-data"
    return is_form and response.status_code == 400 and not response.content
