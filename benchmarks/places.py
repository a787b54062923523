"""Where things are. Whatever the benchmark makes is below `build/bench/`, which git ignores."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
INSIDE = HERE / "inside"
PEERS = HERE / "peers"
RESULTS = HERE / "RESULTS.md"

BUILD = ROOT / "build" / "bench"
SITE = BUILD / "site"
RUN = BUILD / "run"
SITE_LOCK = ROOT / "{{cookiecutter.project_slug}}" / "requirements" / "embedded.txt"

HOST = "127.0.0.1"
