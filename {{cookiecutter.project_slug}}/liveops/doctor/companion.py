"""A second process, which answers the doctor: `python -m liveops.doctor.companion TASK …`."""

import os
import subprocess
import sys

import django
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.cache import cache

from liveops.doctor.diagnosis import Wrong

ANSWERS_WITHIN = 20.0


def ask_companion(*words: str) -> str:
    """What a process of its own, with the same settings, answers."""
    done = subprocess.run(
        [sys.executable, "-m", "liveops.doctor.companion", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ANSWERS_WITHIN,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise Wrong(f"a second process failed: {last[0]}")
    return done.stdout.strip()


def answer(task: str, where: str, word: str) -> str:
    if task == "send":
        async_to_sync(get_channel_layer().group_send)(where, {"type": "doctor", "word": word})
        return "sent"
    seen = cache.get(where)
    cache.set(f"{where}:answer", word, 60)
    return str(seen)


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(answer(*sys.argv[1:4]))
