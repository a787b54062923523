"""`p`: what `run(self, p)` reports to."""

import json
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.safestring import SafeString

from liveops.conf import conf
from liveops.exceptions import RunInterrupted
from liveops.fragments import render_swap
from liveops.models import LiveOperation
from liveops.text import clean, clean_json
from liveops.tracking import Pace

Item = TypeVar("Item")

STATUS_LEVELS = ("info", "success", "warning", "error")
LOG_LEVELS = frozenset({"debug", *STATUS_LEVELS})
HTML_MODES = ("innerHTML", "beforeend")


class Sink(Protocol):
    """Takes what `p` reports: the reporter of a worker, or a recorder in a test."""

    def update(self, **columns: Any) -> None:
        """New values for columns of the row; the last one counts."""

    def show_region(self, selector: str, html: str) -> None:
        """The whole content of a region of the page."""

    def log(self, level: str, text: str) -> None:
        """One log line."""

    def checkpoint(self, cursor: Any) -> None:
        """How far the run has come: with the current transaction, else with the next flush."""

    def check(self) -> None:
        """Raise RunInterrupted when the run has to end."""


class Progress:
    """The reporting surface of one run. Every call is cheap and none of them waits for Redis."""

    def __init__(self, operation: LiveOperation, sink: Sink) -> None:
        self.operation = operation
        self.chained: LiveOperation | None = None
        self.failure = ""
        # What the last attempt's `checkpoint()` stored, or None.
        self.cursor: Any = operation.cursor
        self._sink = sink
        self._stages: dict[str, dict[str, Any]] = {}
        self._regions: dict[str, str] = {}

    def status(self, text: object, level: str = "info") -> None:
        """Say in one line what is going on. `level`: info, success, warning or error."""
        _expect(level, STATUS_LEVELS, "status level")
        self._sink.update(status_text=clean(text), status_level=level)

    def percent(self, value: float) -> None:
        """Set the bar, 0 to 100; values outside are cut to that."""
        self._sink.update(percent=min(100.0, max(0.0, float(value))), tracking=None)

    def log(self, line: object, level: str = "info") -> None:
        """Append a line to the log. `level`: debug, info, success, warning or error."""
        if level not in LOG_LEVELS:
            _expect(level, sorted(LOG_LEVELS), "log level")
        self._sink.log(level, line if type(line) is str else str(line))

    def track(
        self,
        iterable: Iterable[Item],
        total: int | None = None,
        label: object | None = None,
        unit: object = "item",
        *,
        resume: bool = False,
    ) -> Iterator[Item]:
        """Yield the items and keep bar, rate and time left up to date.

        Checks for a cancel request before each item. `total` is taken from `len()` where the
        iterable has one; without a total the page shows a count instead of a bar.

        `resume=True` skips the items that an earlier attempt is done with. How many those are is
        kept about ten times a second: after a crash, the last few may come again. Where each must
        come once, save batch and `checkpoint()` in one transaction instead.
        """
        done = self._done_before() if resume else 0
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        pace = Pace(total, clean(label or ""), clean(unit))
        pace.skip(done)
        self._show(pace)
        try:
            for item in islice(iterable, done, None):
                self._sink.check()
                yield item
                pace.done += 1
                if pace.due():
                    self._show(pace, keep=resume)
        finally:
            self._show(pace, keep=resume)

    @contextmanager
    def stage(self, name: object) -> Iterator[None]:
        """Mark a part of the work as active, then as done, failed or cancelled."""
        key = clean(name)
        began = time.time()
        self._mark(key, "active", began)
        outcome = "failed"
        try:
            yield
            outcome = "done"
        except RunInterrupted:
            outcome = "cancelled"
            raise
        finally:
            self._mark(key, outcome, began, seconds=round(time.time() - began, 3))

    def result(self, context: dict[str, Any] | None = None, **extra: Any) -> None:
        """Keep what the result template shows once the run has succeeded.

        Values are stored as JSON (dates, decimals and UUIDs included). Raises TypeError, naming
        the key, for one that JSON cannot hold.
        """
        values = {**(context or {}), **extra}
        self._sink.update(
            result_context={clean(k): _as_json("p.result()", v, k) for k, v in values.items()}
        )

    def error(self, message: object) -> None:
        """The operation has failed and `message` tells its user why; `run()` may still go on."""
        self.failure = clean(message)
        self._sink.update(error=self.failure)

    def checkpoint(self, value: Any) -> None:
        """Remember how far the run has come: a small JSON value that a later attempt finds in
        `p.cursor`.

        Inside `transaction.atomic()` it is committed with the transaction, so that the work and
        the memory of it are one; elsewhere with the next flush, some 50 ms later.
        """
        self.cursor = _as_json("p.checkpoint()", value)
        self._sink.checkpoint(self.cursor)

    def check_cancelled(self) -> None:
        """Raise OperationCancelled when somebody has asked for the run to end. Reads memory."""
        self._sink.check()

    def chain_to(self, next_operation: Any) -> None:
        """Start `next_operation` (not saved yet) when this one succeeds; the page moves on to it.

        Its owner is this operation's, unless it has one.
        """
        is_new = isinstance(next_operation, LiveOperation) and next_operation._state.adding
        if not is_new:
            raise ValueError(f"p.chain_to() takes a new, unsaved operation, not {next_operation!r}")
        if next_operation.owner_id is None:
            next_operation.owner_id = self.operation.owner_id
        self.chained = next_operation

    def swap(
        self, selector: str, name: str | None = None, *, html_raw: str | None = None, **context: Any
    ) -> None:
        """Fill a region with the template `<app>/<kind>_<name>.html`, autoescaped.

        `html_raw=` takes trusted HTML instead: it is shown as it is.
        """
        if (name is None) == (html_raw is None):
            raise ValueError(f"p.swap({selector!r}) takes either a template name or html_raw=")
        markup = html_raw if name is None else render_swap(self.operation, name, context)
        self.html(selector, markup or "")

    def html(self, selector: str, raw: str | SafeString, mode: str = "innerHTML") -> None:
        """Show trusted HTML, as it is, in a region; never pass text that users wrote.

        `mode`: innerHTML replaces, beforeend appends. Raises ValueError when the region would
        grow beyond `LIVEOPS["MAX_REGION"]` bytes.
        """
        _expect(mode, HTML_MODES, "mode of p.html()")
        if not selector.startswith("#"):
            raise ValueError(f'{selector!r} is no region: write "#id", as in {{% live_region %}}')
        selector = clean(selector)
        before = self._regions.get(selector, "") if mode == "beforeend" else ""
        markup = before + clean(raw)
        size = len(markup.encode())
        if size > conf.MAX_REGION:
            raise ValueError(
                f"region {selector} would hold {size:,} bytes, the limit is {conf.MAX_REGION:,}: "
                'show less of it, or raise LIVEOPS["MAX_REGION"]'
            )
        self._regions[selector] = markup
        self._sink.show_region(selector, markup)

    def _show(self, pace: Pace, *, keep: bool = False) -> None:
        self._sink.update(tracking=pace.report(), percent=pace.percent)
        if keep:
            self.checkpoint({"done": pace.done})

    def _done_before(self) -> int:
        match self.cursor:
            case None:
                return 0
            case {"done": int(done)}:
                return done
        raise ValueError(
            f"p.track(resume=True) cannot go on from the checkpoint {self.cursor!r}: "
            "use p.cursor where p.checkpoint() is used"
        )

    def _mark(self, key: str, state: str, began: float, seconds: float | None = None) -> None:
        self._stages[key] = {"state": state, "started": began, "seconds": seconds}
        self._sink.update(stage_states=dict(self._stages))


def _as_json(call: str, value: object, key: object = "its value") -> Any:
    try:
        return clean_json(json.loads(json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{call}: {key!r} is no JSON value: {error}") from error


def _expect(value: str, legal: Iterable[str], what: str) -> None:
    legal = list(legal)
    if value not in legal:
        raise ValueError(f"{value!r} is no {what}; legal: {', '.join(legal)}")
