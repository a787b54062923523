"""Files and logs as attachments, streamed."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import IO

from asgiref.sync import sync_to_async
from django.db.models.fields.files import FieldFile
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

BLOCK = 256 * 1024
LINES_PER_BLOCK = 2_000


def attachment(
    content: AsyncIterator[bytes], filename: str, content_type: str
) -> StreamingHttpResponse:
    """A download that no browser shows or runs in the site's name."""
    response = StreamingHttpResponse(content, content_type=content_type)
    disposition = content_disposition_header(as_attachment=True, filename=filename)
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def open_to_stream(file: FieldFile) -> IO[bytes]:
    """Open a stored file to be read once; a storage with `stream` need not fetch it whole first."""
    stream: Callable[[str | None], IO[bytes]] | None = getattr(file.storage, "stream", None)
    return stream(file.name) if stream else file.open("rb")


# Asynchronous, because Django under ASGI would read a synchronous stream into memory first.


async def file_blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while block := await sync_to_async(file.read)(BLOCK):
            yield block
    finally:
        await sync_to_async(file.close)()


async def text_blocks(open_lines: Callable[[], Iterator[str]]) -> AsyncIterator[bytes]:
    """Join the lines, block by block."""
    lines = await sync_to_async(open_lines)()
    while block := await sync_to_async(lambda: "".join(islice(lines, LINES_PER_BLOCK)))():
        yield block.encode()
