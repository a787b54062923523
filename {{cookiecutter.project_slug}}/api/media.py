"""What the API takes and gives: JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import IO, Any, Never

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONForEveryone(BaseContentNegotiation):
    """Answers in the view's own format, whatever `Accept` says: every client can read an error."""

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser | None:
        asked = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == asked), None)

    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class StrictJSONParser(BaseParser):
    """One JSON object in UTF-8, of bounded size, with text that the database can hold."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        body = stream.read(limit + 1) if limit else stream.read()
        if limit and len(body) > limit:
            raise RequestDataTooBig
        try:
            value = json.loads(body.decode(), parse_constant=refuse_constant)
            # Half of a surrogate pair is legal JSON, but no text.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            text = _("The body is no JSON that can be read (%(why)s). Send one object in UTF-8.")
            raise ParseError(text % {"why": str(error)[:100]}) from error
        if not isinstance(value, dict):
            text = _("The body is a JSON %(type)s. Send an object, such as {}.")
            raise ParseError(text % {"type": type(value).__name__})
        return value


def refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no number of JSON")
