"""The harness's hand inside a contender: takes commands on standard input, answers on output.

`python -m bench_driver MODULE` offers the functions that MODULE lists in `COMMANDS`. A command is a
line of JSON, `{"number": 1, "call": "start", "with": {...}}`; the answer is
`{"number": 1, "value": ...}` or `{"number": 1, "error": "a traceback"}`.
"""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import django


def serve(functions: Sequence[Callable[..., Any]]) -> None:
    """Answer until the input ends."""
    commands = {function.__name__: function for function in functions}
    # Whatever a library prints goes to the log, not between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for text in sys.stdin:
        command = json.loads(text)
        try:
            answer = {"value": commands[command["call"]](**command["with"])}
        except Exception:  # the harness decides what a failure means
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps({"number": command["number"], **answer}, default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    django.setup()
    serve(importlib.import_module(sys.argv[1]).COMMANDS)
