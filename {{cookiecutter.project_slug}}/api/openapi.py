"""The OpenAPI description: what every view may answer, and what each kind asks for."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator

from api.fields import Input, inputs_of
from api.representations import ErrorSerializer
from liveops.models import LiveOperation, kinds
from liveops.policy import Verdict, decide
from liveops.starting import form_class_for

START = "/api/kinds/{kind}/operations/"
# Types that are text of some format.
FORMATS = {"date-time", "date", "time", "uuid", "email", "uri"}


def refusals(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys((*statuses, 429, 503), ErrorSerializer)


REFUSALS = refusals(401, 403)
REFUSALS_OF_QUERIES = refusals(400, 401, 403)
REFUSALS_OF_OBJECTS = refusals(401, 403, 404)
REFUSALS_OF_OBJECTS_AND_QUERIES = refusals(400, 401, 403, 404)
REFUSALS_OF_CHANGES = refusals(401, 403, 404, 409)
REFUSALS_OF_SIGN_IN = refusals(400, 401, 403, 413, 415)
REFUSALS_OF_STARTS = refusals(400, 401, 403, 404, 413, 415)


def describe_each_kind(
    result: dict[str, Any], generator: SchemaGenerator, request: Any, public: bool
) -> dict[str, Any]:
    """Describe the start of each kind, instead of one start of anything.

    Somebody who asks over HTTP gets the kinds that they may start; a command gets all.
    """
    paths: dict[str, Any] = {}
    for path, methods in result["paths"].items():
        if path != START:
            paths[path] = methods
            continue
        for kind in kinds():
            if request is None or decide(request.user, kind=kind) is Verdict.ALLOWED:
                name = kind.kind_name()
                paths[path.replace("{kind}", name)] = {"post": start_of(kind, methods["post"])}
    return {**result, "paths": paths}


def start_of(kind: type[LiveOperation], template: dict[str, Any]) -> dict[str, Any]:
    """How this kind is started."""
    inputs = inputs_of(form_class_for(kind)())
    content = {}
    if not any(each.type == "file" and each.required for each in inputs):
        content["application/json"] = {"schema": body_of(inputs, files=False)}
    if inputs:
        # A form without a part is none.
        form = {**body_of(inputs, files=True), "minProperties": 1}
        content["multipart/form-data"] = {"schema": form}
    required = any(each.required for each in inputs)
    return {
        **template,
        "operationId": f"start_{kind.kind_name().replace('.', '_')}",
        "summary": f"Start “{kind.title}”.",
        "description": str(kind.description),
        "parameters": [each for each in template["parameters"] if each["name"] != "kind"],
        "requestBody": {"content": content, "required": required},
    }


def body_of(inputs: list[Input], *, files: bool) -> dict[str, Any]:
    shown = [each for each in inputs if files or each.type != "file"]
    body: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: schema_of(each) for each in shown},
        "additionalProperties": False,
    }
    if required := [each.name for each in shown if each.required]:
        body["required"] = required
    return body


def schema_of(each: Input) -> dict[str, Any]:
    """The JSON schema of a field."""
    schema: dict[str, Any] = {"title": each.label, **type_of(each)}
    if each.help:
        schema["description"] = each.help
    if each.default is not None and each.type != "file":
        schema["default"] = each.default
    if each.minimum is not None:
        schema["minimum"] = each.minimum
    if each.maximum is not None:
        schema["maximum"] = each.maximum
    return schema


def type_of(each: Input) -> dict[str, Any]:
    match each.type:
        case "file":
            return {"type": "string", "format": "binary"}
        case "json":
            return {}
        case "array":
            return {"type": "array", "items": text_of(each)}
        case "boolean" | "integer" | "number":
            return {"type": each.type}
    return text_of(each)


def text_of(each: Input) -> dict[str, Any]:
    if each.choices is not None:
        values = [choice.value for choice in each.choices]
        if each.blank and "" not in values and each.type != "array":
            values.append("")
        return {"type": "string", "enum": values}
    schema: dict[str, Any] = {"type": "string"}
    if each.type in FORMATS:
        schema["format"] = each.type
    # What a database cannot hold; and a required text has to have something to read in it.
    schema["pattern"] = r"^[^\u0000]*$" if each.blank else r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
    if each.max_length is not None:
        schema["maxLength"] = each.max_length
    return schema
