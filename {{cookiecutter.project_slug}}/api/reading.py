"""The OpenAPI description as a page shows it: its references resolved, its schemas as rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

METHODS = ("get", "post", "delete")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A parameter, or a field of a body."""

    name: str
    type: str
    required: bool
    text: str
    values: list[str]


@dataclass(frozen=True, kw_only=True)
class Body:
    media_type: str
    rows: list[Row]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    # By API token, JWT or session; else by nothing.
    signed_in: bool
    parameters: list[Row]
    bodies: list[Body]
    # "200 OK" → what it brings
    answers: list[tuple[str, list[Body]]]


def calls_of(schema: dict[str, Any]) -> Iterator[Call]:
    components = schema.get("components", {}).get("schemas", {})
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield call_of(path, method, methods[method], components)


def call_of(path: str, method: str, call: dict[str, Any], components: dict[str, Any]) -> Call:
    answers = [
        (f"{status} {HTTPStatus(int(status)).phrase}", bodies_of(answer, components))
        for status, answer in call["responses"].items()
    ]
    return Call(
        id=call["operationId"],
        method=method.upper(),
        path=path,
        summary=call.get("summary", ""),
        description=call.get("description", ""),
        signed_in={} not in call.get("security", [{}]),
        parameters=[
            row_of(each["name"], each["schema"], each, components)
            for each in call.get("parameters", [])
        ],
        bodies=bodies_of(call.get("requestBody", {}), components),
        answers=answers,
    )


def bodies_of(holder: dict[str, Any], components: dict[str, Any]) -> list[Body]:
    return [
        Body(media_type=media_type, rows=list(rows_of(content.get("schema", {}), components)))
        for media_type, content in holder.get("content", {}).items()
    ]


def rows_of(schema: dict[str, Any], components: dict[str, Any]) -> Iterator[Row]:
    """The fields of an object, or of the objects in a list."""
    found = resolved(schema, components)
    if found.get("type") == "array":
        found = resolved(found["items"], components)
    required = found.get("required", [])
    for name, each in found.get("properties", {}).items():
        yield row_of(name, each, {"required": name in required}, components)


def row_of(
    name: str, schema: dict[str, Any], facts: dict[str, Any], components: dict[str, Any]
) -> Row:
    found = resolved(schema, components)
    values = [str(value) for value in found.get("enum", []) if value not in (None, "")]
    return Row(
        name=name,
        type=type_of(schema, components),
        required=facts.get("required", False),
        text=facts.get("description") or found.get("description", ""),
        values=values,
    )


def type_of(schema: dict[str, Any], components: dict[str, Any]) -> str:
    if "oneOf" in schema:
        kinds = [type_of(each, components) for each in schema["oneOf"]]
        return ", ".join(dict.fromkeys(kinds))
    found = resolved(schema, components)
    name = found.get("type", "any")
    if name == "array":
        return f"array of {type_of(found['items'], components)}"
    text = ", ".join(name) if isinstance(name, list) else str(name)
    return f"{text} ({found['format']})" if "format" in found else text


def resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    if len(schema.get("allOf", [])) == 1:
        schema = {**schema["allOf"][0], **{key: schema[key] for key in schema if key != "allOf"}}
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = {**components.get(name, {}), **schema}
    return found
