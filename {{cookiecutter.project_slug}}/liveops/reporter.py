"""What carries the reports of a run to the record and to the page."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from liveops.buffer import Batch, ReportBuffer
from liveops.conf import conf
from liveops.exceptions import LeaseLost
from liveops.finale import judge, redirect_of, without_next
from liveops.fragments import PARTS, LogView, frame, render_log
from liveops.hints import read_cancel_request, show_alive
from liveops.ladder import CancelLadder, Rung
from liveops.models import LiveOperation, State
from liveops.outcome import Outcome
from liveops.pusher import FramePusher
from liveops.recorder import Frame, Recorder
from liveops.run_context import working_for
from liveops.run_thread import RunThread

logger = logging.getLogger(__name__)

# The pause after a flush, in seconds: short for single reports, longer in a burst.
WINDOW_MIN = 0.008
WINDOW_MAX = 0.05
BURST = 20
# For so long, in seconds, a thread of Python may go on while another one wants to. Each answer of
# the database costs the reporter such a turn: with the default of 5 ms, a run that computes without
# a pause would hold its own reports up for 50 ms and more.
TURN = 0.0005
# How long the page waits for the record; once that is behind, the page comes first.
PATIENCE_MS = 250
PATIENCE_BEHIND_MS = 50
RECORD_BEHIND_EVERY = 0.25
PATIENCE_FINAL_MS = 2_000
# Cancel requests that the row could not take are looked for this often.
LOOK_FOR_CANCEL_EVERY = 1.0

PART_OF_COLUMN = {
    "status_text": "status",
    "status_level": "status",
    "percent": "progress",
    "tracking": "progress",
    "stage_states": "stages",
}


class ProgressReporter:
    """Records and pushes what a run reports, from a thread of its own. Made by the run's thread.

    The run only ever appends to `buffer`. The thread takes what has come together, writes it in
    one transaction over its own connection, and sends one frame to the watchers. So reports are
    visible while `run()` holds a transaction open, and cost the run microseconds.
    """

    def __init__(
        self, operation: LiveOperation, *, terminate: Callable[[], None] | None = None
    ) -> None:
        self.buffer = ReportBuffer(conf.MAX_PENDING, operation.save_cursor)
        self._run = RunThread()
        self._ladder = CancelLadder(self.buffer, self._run, terminate)
        # Only the thread touches this copy; `run()` may do what it likes with its own instance.
        self._shown = type(operation)._base_manager.get(pk=operation.pk)
        self._regions: dict[str, str] = {}
        self._dirty_parts: set[str] = set()
        self._outcome: Outcome | None = None
        self._ended = threading.Event()
        self._crash: Exception | None = None
        self._cancelled_by: str | None = None
        # A daemon, so that it never keeps alive a worker that has to end.
        self._thread = threading.Thread(
            target=self._work_for_run, name=f"reporter-{operation.pk}", daemon=True
        )

    def start(self) -> None:
        sys.setswitchinterval(TURN)
        self._thread.start()

    def leave_run(self) -> None:
        """`run()` is over, from now on nothing interrupts its thread."""
        self._run.leave()

    def finish(self, outcome: Outcome) -> State | None:
        """Record and push all that is left, and how the run ended.

        Returns the state recorded, or None when the row was not this run's any more. Raises what
        the thread could not survive.
        """
        self._outcome = outcome
        self._ended.set()
        self.buffer.wake.set()
        self._thread.join()
        if self._crash is not None:
            raise self._crash
        return State(self._shown.state) if self._shown.is_finished else None

    def _work_for_run(self) -> None:
        with working_for(self._shown):
            self._work()

    def _work(self) -> None:
        self._recorder = Recorder(self._shown)
        self._pusher = FramePusher(self._shown.get_channel_name())
        try:
            self._serve()
            if self._outcome is not None:
                self._end(self._outcome)
            else:
                # If the run itself holds the lock, whoever finds its process gone records this.
                why = "the run did not react, its process was ended"
                self._end(Outcome(state=State.CANCELLED, why=why), tries=1)
        except LeaseLost as lost:
            self.buffer.interrupt(lost)
        except Exception as error:
            # Handed to the run's thread, which must not wait for this one for ever.
            logger.exception("the reporter of %s ended", self._shown.pk)
            self._crash = error
            self.buffer.interrupt(LeaseLost())
        finally:
            self._pusher.close()
            self._recorder.close()
            if self._ladder.rung is Rung.TERMINATED and self._ladder.terminate is not None:
                self._ladder.terminate()

    def _serve(self) -> None:
        now = time.monotonic()
        self._seen_alive = self._tried_at = self._looked_for_cancel = now
        show_alive(self._shown.pk, self._shown.attempt)
        # Every page learns at once that the run has begun.
        self._dirty_parts.update(PARTS)
        self._flush(self.buffer.take())
        window = WINDOW_MIN
        while not self._ended.is_set() and self._ladder.rung is not Rung.TERMINATED:
            self.buffer.wake.wait(timeout=self._idle_time())
            self.buffer.wake.clear()
            batch = self.buffer.take()
            if batch or self._dirty_parts:
                self._flush(batch)
                window = min(window * 2, WINDOW_MAX) if len(batch) > BURST else WINDOW_MIN
            self._keep_up()
            if batch:
                self._ended.wait(window)

    def _idle_time(self) -> float:
        if self._recorder.behind:
            return RECORD_BEHIND_EVERY
        return min(LOOK_FOR_CANCEL_EVERY, conf.HEARTBEAT_EVERY)

    def _flush(self, batch: Batch) -> None:
        """Record first, then push; but the page does not wait for a record that is behind."""
        was_behind = self._recorder.behind
        log = self._keep(batch)
        if not was_behind:
            self._record(PATIENCE_MS)
        self._push("liveop.frame", self._render(batch, log))

    def _keep(self, batch: Batch) -> LogView | None:
        shown = self._shown
        first_line = shown.log_lines + 1
        changes = dict(batch.changes)
        if batch.regions:
            self._regions.update(batch.regions)
            changes["regions"] = dict(self._regions)
        for column, value in changes.items():
            setattr(shown, column, value)
        shown.seq += 1
        shown.log_lines += len(batch.lines)
        self._recorder.keep(
            Frame(
                seq=shown.seq,
                changes=changes,
                first_line=first_line,
                lines=batch.lines,
                size=batch.size,
            )
        )
        return render_log(first_line, batch.lines) if batch.lines else None

    def _record(self, patience_ms: int) -> None:
        freed = self._recorder.record(patience_ms)
        self._tried_at = time.monotonic()
        if freed is None:
            return
        self.buffer.release(freed)
        if self._recorder.cancel_requested:
            self._pass_on_cancel()

    def _pass_on_cancel(self) -> None:
        if self._shown.cancel_requested_at is None:
            self._shown.cancel_requested_at = timezone.now()
            # The pages say so, too.
            self._dirty_parts.add("status")
        self._ladder.ask()

    def _keep_up(self) -> None:
        """Renew the signs of life, write what is still to be recorded, look for a cancel."""
        shown, now = self._shown, time.monotonic()
        behind = self._recorder.behind
        if now - self._tried_at >= (RECORD_BEHIND_EVERY if behind else conf.HEARTBEAT_EVERY):
            self._record(PATIENCE_BEHIND_MS if behind else PATIENCE_MS)
        if now - self._seen_alive >= conf.HEARTBEAT_EVERY:
            self._seen_alive = now
            show_alive(shown.pk, shown.attempt)
            self._push("liveop.heartbeat")
        if now - self._looked_for_cancel >= LOOK_FOR_CANCEL_EVERY and not self._cancelled_by:
            self._looked_for_cancel = now
            self._cancelled_by = read_cancel_request(shown.pk, shown.attempt)
            if self._cancelled_by:
                self._pass_on_cancel()
        self._ladder.climb()

    def _end(self, outcome: Outcome, *, tries: int | None = None) -> None:
        """Record the last reports and the terminal state, until it works or `tries` are used up."""
        batch = self.buffer.take()
        log = self._keep(batch)
        outcome = judge(self._shown, outcome)
        try:
            recorded = self._record_end(outcome, tries)
        except LeaseLost:
            raise
        except Exception:
            if outcome.next_operation is None:
                raise
            outcome = without_next(outcome)
            recorded = self._record_end(outcome, tries)
        if recorded:
            self._push("liveop.frame", self._render(batch, log, outcome=outcome))

    def _record_end(self, outcome: Outcome, tries: int | None) -> bool:
        changes: dict[str, Any] = {
            "seq": self._shown.seq,
            "log_lines": self._shown.log_lines,
            "error": outcome.error,
            "traceback": outcome.traceback,
        }
        pause = WINDOW_MAX
        while not self._recorder.finish(
            outcome.state,
            patience_ms=PATIENCE_FINAL_MS,
            why=outcome.why,
            changes=changes,
            cancelled_by=self._cancelled_by,
            next_operation=outcome.next_operation,
        ):
            tries = None if tries is None else tries - 1
            if tries == 0:
                return False
            show_alive(self._shown.pk, self._shown.attempt)
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        return True

    def _render(
        self, batch: Batch, log: LogView | None, outcome: Outcome | None = None
    ) -> str | None:
        names = {PART_OF_COLUMN[name] for name in batch.changes if name in PART_OF_COLUMN}
        names |= self._dirty_parts
        self._dirty_parts.clear()
        redirect = None
        if outcome is not None:
            names |= set(PARTS)
            redirect = redirect_of(outcome)
        try:
            return frame(
                "frame",
                self._shown,
                parts=sorted(names),
                regions=batch.regions,
                log=log,
                redirect=redirect,
            )
        except Exception:  # an overridden template may raise anything; the record is whole
            logger.exception("frame %s of %s not shown", self._shown.seq, self._shown.pk)
            return None

    def _push(self, kind: str, text: str | None = None) -> None:
        shown = self._shown
        message: dict[str, Any] = {
            "type": kind,
            "attempt": shown.attempt,
            "seq": shown.seq,
            "state": shown.state,
            "recorded": self._recorder.recorded_seq,
        }
        if text is not None:
            message["text"] = text
        self._pusher.push(message)
