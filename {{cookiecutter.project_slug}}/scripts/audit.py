"""Look up known vulnerabilities of what the site installs: ``python scripts/audit.py``.

Ends with 0 only when a database was reached, knew every package, and had nothing against it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "production.txt"
COMMAND = [
    *(sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes"),
    *("--disable-pip", "--progress-spinner", "off", "--timeout", "5", "--format", "json"),
]
LONGEST_WAIT = 60
FOUND, NOT_CHECKED = 1, 2


def audit() -> tuple[str, int]:
    """What is to be said, and the exit code."""
    try:
        done = subprocess.run(
            COMMAND, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False
        )
        packages = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return not_checked(f"it did not answer within {LONGEST_WAIT} s")
    except (ValueError, KeyError):
        return not_checked((done.stderr.strip().splitlines() or ["no reason was given"])[-1])
    return judge(packages)


def judge(packages: list[dict[str, Any]]) -> tuple[str, int]:
    """The same, from pip-audit's list of packages."""
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        return not_checked(f"it knew none of {len(packages)} packages")
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        f"mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in packages
        for flaw in package.get("vulns", [])
    ]
    checked = len(packages) - len(unknown)
    lines = [*found, f"known vulnerabilities: {len(found)} in {checked} packages"]
    if unknown:
        lines[-1] += f", not checked: {', '.join(unknown)}"
    return "\n".join(lines), FOUND if found else NOT_CHECKED if unknown else 0


def not_checked(why: str) -> tuple[str, int]:
    return f"known vulnerabilities: not checked, no database reached ({why})", NOT_CHECKED


if __name__ == "__main__":
    text, code = audit()
    sys.stdout.write(f"{text}\n")
    sys.exit(code)
