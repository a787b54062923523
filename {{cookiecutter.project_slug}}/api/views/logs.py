"""The log by ranges of lines, and downloads."""

import uuid
from collections.abc import Iterator
from itertools import islice

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.openapi import REFUSALS_OF_OBJECTS, REFUSALS_OF_OBJECTS_AND_QUERIES
from api.queries import AttemptQuery, LogQuery, attempt_of, read_query
from api.representations import LogSerializer
from api.views.base import View
from liveops.downloads import attachment, file_blocks, open_to_stream, text_blocks
from liveops.record import Log, NumberedLine

# A range ends before its lines have more characters than this, if it has a line already.
MOST_CHARACTERS = 1024 * 1024


class LogView(View):
    @extend_schema(
        operation_id="read_log",
        summary="Lines of the log: “limit” of them, or fewer if they are long, beginning “from”.",
        parameters=[LogQuery],
        responses={200: LogSerializer, **REFUSALS_OF_OBJECTS_AND_QUERIES},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        operation = self.get_row(pk)
        query = read_query(request, LogQuery)
        attempt = attempt_of(query, operation)
        log = Log(operation, attempt)
        first = min(query["from"], len(log) + 1)
        lines = fitting(log[first - 1 : first - 1 + query["limit"]])
        found = {
            "attempt": attempt,
            "state": operation.state,
            "total": len(log),
            "next": first + len(lines),
            "lines": lines,
        }
        return Response(LogSerializer(found).data)


def fitting(lines: list[NumberedLine]) -> list[NumberedLine]:
    room = MOST_CHARACTERS
    for count, line in enumerate(lines):
        room -= len(line.text)
        if room < 0 and count:
            return list(islice(lines, count))
    return lines


class LogTextView(View):
    @extend_schema(
        operation_id="download_log",
        summary="The whole log of an attempt as a text file.",
        parameters=[AttemptQuery],
        responses={(200, "text/plain"): OpenApiTypes.STR, **REFUSALS_OF_OBJECTS_AND_QUERIES},
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        operation = self.get_row(pk)
        attempt = attempt_of(read_query(request, AttemptQuery), operation)

        def lines() -> Iterator[str]:
            for line in Log(operation, attempt):
                yield f"{line.time.isoformat(timespec='milliseconds')} {line.level} {line.text}\n"

        name = f"log-{operation.pk}-{attempt}.txt"
        return attachment(text_blocks(lines), name, "text/plain; charset=utf-8")


class FileView(View):
    @extend_schema(
        operation_id="download_file",
        summary="A file that the operation made.",
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            **REFUSALS_OF_OBJECTS,
        },
    )
    def get(self, request: Request, pk: uuid.UUID, field: str) -> HttpResponseBase:
        operation = self.get_operation(pk)
        file = getattr(operation, field) if field in operation.downloads else None
        if not file or not file.storage.exists(file.name):
            raise NotFound(_("There is no such file. “urls.files” of the operation lists them."))
        name = file.name.rpartition("/")[2]
        return attachment(file_blocks(open_to_stream(file)), name, "application/octet-stream")
