"""examples/follow.py against the real site: follows, resumes, cancels, and ends as the run ends."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from rest_framework.authtoken.models import Token

from accounts.models import User
from liveops.models import LiveOperation, State
from tests.client import SiteClient
from tests.kinds.models import Chatter, Patient
from tests.processes import SITE, wait_until
from tests.services import Stack

pytestmark = pytest.mark.parametrize("running_stack", ["sqlite"], indirect=True)
SAMPLE = SITE / "operations" / "samples" / "contacts.csv"
Follow = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def follow(stack: Stack, member: SiteClient) -> Follow:
    """Starts the example in the name of `member`, who has an API token."""
    user = User.objects.latest("pk")
    token = Token.objects.create(user=user).key

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "examples/follow.py", *arguments],
            cwd=SITE,
            env={"LIVEOPS_URL": stack.base_url, "LIVEOPS_TOKEN": token, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def end_of(process: subprocess.Popen[str], within: float = 60) -> tuple[int, list[str], str]:
    """Exit code, lines of the log, and everything that it complained of."""
    output, complaints = process.communicate(timeout=within)
    lines = [line for line in output.splitlines() if line[:6].strip().isdigit()]
    return process.returncode, lines, complaints


def newest(state: State) -> LiveOperation:
    wait_until(
        lambda: LiveOperation.objects.filter(state=state).exists(), f"an operation is {state}"
    )
    return LiveOperation.objects.filter(state=state).latest("created_at")


def test_it_starts_with_a_file_and_ends_with_success(follow: Follow) -> None:
    code, lines, complaints = end_of(
        follow("operations.importcontacts", f"file=@{SAMPLE}", "dry_run=true")
    )
    assert (code, complaints) == (0, "")
    assert lines


def test_every_line_is_shown_once_over_a_restart_of_the_web_server(
    follow: Follow, stack: Stack
) -> None:
    process = follow("kinds.chatter", "lines=300", "pause=0.02")
    operation = newest(State.RUNNING)
    wait_until(lambda: Chatter.objects.get(pk=operation.pk).log_lines > 50, "it has begun")
    stack.restart(stack.web)
    code, lines, complaints = end_of(process)
    assert code == 0
    assert [line.split()[-1] for line in lines] == [str(number) for number in range(1, 301)]
    assert "websocket ended" in complaints


def test_a_run_that_fails_ends_with_1(follow: Follow) -> None:
    code, lines, _complaints = end_of(follow("kinds.failing", "how=raise"))
    assert code == 1
    assert lines[0].endswith("before")


def test_ctrl_c_cancels_the_operation(follow: Follow) -> None:
    process = follow("kinds.patient")
    operation = newest(State.RUNNING)
    wait_until(lambda: Patient.objects.get(pk=operation.pk).log_lines, "it has begun")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    code, _lines, _complaints = end_of(process)
    assert code == 1
    operation.refresh_from_db()
    assert operation.state == State.CANCELLED


@pytest.mark.parametrize("arguments", [["kinds.nothing"], ["kinds.chatter", "lines=x"]])
def test_what_the_site_refuses_ends_with_2_and_the_reason(
    follow: Follow, arguments: list[str]
) -> None:
    code, _lines, complaints = end_of(follow(*arguments))
    assert code == 2
    assert "40" in complaints
    assert "Traceback" not in complaints
