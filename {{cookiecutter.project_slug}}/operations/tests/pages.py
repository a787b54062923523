"""What a page would show of a recorded run."""

from liveops.fragments import render_result
from liveops.testing import RecordingProgress


def shown(p: RecordingProgress) -> str:
    """The result, rendered by the template of its kind."""
    p.operation.result_context = p.results
    return render_result(p.operation)
