"""Fetch the vendored front-end files again from npm: ``python scripts/fetch_vendor.py``.

To upgrade a package, change its version in ``static/vendor/vendor.json``, run this with
``--accept`` and review the diff: the new hashes are written into the manifest.
"""

import argparse
import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = VENDOR / "vendor.json"


def download(spec: str, folder: str) -> Path:
    """Let the npm client fetch ``name@version``, so that its own registry settings count."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm was not found in PATH: install Node.js to fetch front-end packages")
    subprocess.run(
        [npm, "pack", spec, "--silent", "--ignore-scripts", "--pack-destination", folder],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return next(Path(folder).glob("*.tgz"))


def integrity(tarball: Path) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()


def refresh(package: dict[str, Any], accept: bool) -> list[str]:
    """Write the files of one package; return what does not match the manifest."""
    spec = f"{package['package']}@{package['version']}"
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        tarball = download(spec, folder)
        if accept:
            package["integrity"] = integrity(tarball)
        elif integrity(tarball) != package["integrity"]:
            return [f"{spec}: npm's tarball is {integrity(tarball)}, not {package['integrity']}"]
        with tarfile.open(tarball) as archive:
            for name, entry in package["files"].items():
                member = archive.extractfile(f"package/{entry['from']}")
                content = member.read() if member else b""
                sha256 = hashlib.sha256(content).hexdigest()
                if accept:
                    entry["sha256"] = sha256
                if sha256 != entry["sha256"]:
                    wrong.append(f"{spec}: {name} hashes to {sha256}, not {entry['sha256']}")
                    continue
                (VENDOR / name).parent.mkdir(parents=True, exist_ok=True)
                (VENDOR / name).write_bytes(content)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="write the new hashes as well")
    accept = parser.parse_args().accept
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    wrong = [line for package in manifest for line in refresh(package, accept)]
    if accept:
        MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
