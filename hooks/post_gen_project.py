"""Give the new site secrets of its own, and say how to go on."""

import json
import re
import secrets
import shutil
import sys
from pathlib import Path

ANSWERS: dict[str, str] = json.loads(r"""{{ cookiecutter|tojson }}""")

EXAMPLE = Path(".env.example")
SETTINGS = Path(".env")
SECRETS = ("SECRET_KEY", "METRICS_TOKEN")


def remove_ignored_files() -> None:
    """Remove caches, data and secrets of a template that is being worked on in place."""
    for rules in sorted(Path().rglob(".gitignore")):
        if not rules.exists():
            continue
        lines = rules.read_text(encoding="utf-8").split()
        kept = {line[1:] for line in lines if line.startswith("!")}
        for line in lines:
            anchored = "/" in line.rstrip("/")
            search = rules.parent.glob if anchored else rules.parent.rglob
            for found in list(search(line.strip("/"))):
                if found.name not in kept:
                    remove(found)
        if not any(rules.parent.iterdir()):
            rules.parent.rmdir()


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_settings() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in SECRETS:
        secret = f"{name}={secrets.token_urlsafe(50)}"
        text, count = re.subn(rf"^{name}=$", secret, text, flags=re.MULTILINE)
        if count != 1:
            sys.exit(f"ERROR: {EXAMPLE} has {count} empty lines for {name} instead of one.")
    SETTINGS.touch(mode=0o600)
    SETTINGS.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    mark = Path(".new-site")
    if mark.exists():
        mark.unlink()
        remove_ignored_files()
    # A site that is generated again keeps the secrets that its data was made with.
    if not SETTINGS.exists():
        write_settings()
    sys.stdout.write(
        f"\nMade {ANSWERS['project_slug']}/, with secrets of its own in .env. Next:\n"
        f"  cd {ANSWERS['project_slug']}\n"
        "  python3 -m venv .venv && . .venv/bin/activate\n"
        "  make install\n"
        "  make superuser\n"
        "  make run\n"
        "README.md tells the rest.\n"
    )


main()
