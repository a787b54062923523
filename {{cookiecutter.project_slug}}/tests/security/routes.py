"""Every address that the site answers, found in its URL configuration."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from liveops.routing import websocket_urlpatterns

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)\$?")


@dataclass(frozen=True)
class Route:
    """`name` is the full name, or the pattern itself of an address that has none."""

    name: str
    pattern: str
    parameters: frozenset[str]

    def path(self, values: dict[str, Any]) -> str:
        """The address with these values for its parameters, of which more may be given."""
        if self.name == self.pattern:
            # An address without a name cannot be reversed.
            return "/" + PARAMETER.sub(lambda found: str(values[found[1] or found[2]]), self.name)
        return reverse(self.name, kwargs={name: values[name] for name in self.parameters})


def http_routes() -> list[Route]:
    return sorted(set(_walk(get_resolver(), "", "", frozenset())), key=lambda route: route.name)


def websocket_routes() -> list[str]:
    return [f"ws:{pattern.pattern}" for pattern in websocket_urlpatterns]


def _walk(
    resolver: URLResolver, namespace: str, prefix: str, parameters: frozenset[str]
) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        text = prefix + str(pattern.pattern)
        found = parameters | _parameters_of(pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern, inner, text, found)
        else:
            name = f"{namespace}{pattern.name}" if pattern.name else text
            yield Route(name, text, found)


def _parameters_of(pattern: URLPattern | URLResolver) -> frozenset[str]:
    converters = getattr(pattern.pattern, "converters", None)
    return frozenset(converters or pattern.pattern.regex.groupindex)
