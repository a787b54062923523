"""What the page's own code asks for."""

from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotModified,
    JsonResponse,
)
from django.utils.decorators import method_decorator
from django.utils.http import parse_etags
from django.views.decorators.cache import never_cache
from django.views.generic import View

from liveops.fragments import PROTOCOL, heartbeat
from liveops.hints import seconds_silent
from liveops.limits import place_of
from liveops.models import LiveOperation
from liveops.record import Position, missed_by
from liveops.security import make_subscription_token
from liveops.views.access import ScriptMixin


@method_decorator(never_cache, name="dispatch")
class TokenView(ScriptMixin, View):
    """A fresh subscription token for a page that has to connect again."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = make_subscription_token(
            request.user, self.get_row(), session_key=request.session.session_key
        )
        return JsonResponse({"token": token})


class SnapshotView(ScriptMixin, View):
    """What a page asks for every few seconds while no websocket gets through.

    `?attempt=3&seq=812` says what the page shows; without, or when it makes no sense, the answer
    is a snapshot. The body is the JSON text that the websocket would bring: a frame with what was
    missed, or a snapshot. The ETag is `"<attempt>-<seq>-<state>"`, and `-<place>` for what waits
    for its turn; 304 when `If-None-Match` has that one or, without `If-None-Match`, when attempt
    and seq are the newest.

    How fresh that is changes without the ETag, so each answer, a 304 too, says it in a header:
    `Liveop-Heartbeat` is the JSON text of a heartbeat as on the websocket. `Liveop-Protocol` is
    the number of the wire protocol, for pages that are older than the server.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        operation = self.get_row()
        newest = Position(operation.attempt, operation.seq)
        shown = self.shown_position()
        etag = self.etag_of(operation)
        headers = {
            "ETag": etag,
            "Cache-Control": "private, no-cache",
            "Liveop-Heartbeat": heartbeat(newest, operation.state, seconds_silent(operation)),
            "Liveop-Protocol": str(PROTOCOL),
        }
        if self.is_known(etag, otherwise=shown == newest):
            return HttpResponseNotModified(headers=headers)
        # The state may be new though the position is not.
        missed = missed_by(operation, shown, whole=shown == newest)
        return HttpResponse(missed.text, content_type="application/json", headers=headers)

    def etag_of(self, operation: LiveOperation) -> str:
        parts = [operation.attempt, operation.seq, operation.state]
        # A place in the queue moves on without a frame.
        place = place_of(operation)
        return f'"{"-".join(map(str, parts if place is None else [*parts, place]))}"'

    def shown_position(self) -> Position | None:
        values = [self.request.GET.get(name, "") for name in ("attempt", "seq")]
        if all(len(value) < 20 and value.isascii() and value.isdecimal() for value in values):
            return Position(*map(int, values))
        return None

    def is_known(self, etag: str, *, otherwise: bool) -> bool:
        header = self.request.headers.get("If-None-Match")
        if header is None:
            return otherwise
        # A proxy that compresses makes an ETag weak.
        return etag in {known.removeprefix("W/") for known in parse_etags(header)}
