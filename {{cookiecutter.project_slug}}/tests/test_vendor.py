"""The files of others are what their manifest says, and all of them are in it."""

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts import fetch_vendor
from tests.processes import SITE

VENDOR = SITE / "static" / "vendor"
PACKAGES: list[dict[str, Any]] = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))
FILES = {name: entry["sha256"] for package in PACKAGES for name, entry in package["files"].items()}


@pytest.mark.parametrize("name", FILES)
def test_a_vendored_file_is_unchanged(name: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == FILES[name]


def test_nothing_else_is_vendored() -> None:
    found = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert found == {*FILES, "vendor.json"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["package"])
def test_a_package_is_pinned_and_brings_its_licence(package: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
    assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"])
    assert any(Path(name).stem == "LICENSE" for name in package["files"])


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".js", ".css"))])
def test_a_vendored_file_points_at_no_source_map(name: str) -> None:
    assert "sourceMappingURL" not in (VENDOR / name).read_text(encoding="utf-8")


def tarball(folder: Path, content: bytes) -> Path:
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("package/dist/a.js")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A manifest's entry for a package that npm delivers with the content "good"."""
    delivered = tarball(tmp_path, b"good")
    monkeypatch.setattr(fetch_vendor, "VENDOR", tmp_path)
    monkeypatch.setattr(fetch_vendor, "download", lambda spec, folder: delivered)
    sha256 = hashlib.sha256(b"good").hexdigest()
    return {
        "package": "a",
        "version": "1.0.0",
        "integrity": fetch_vendor.integrity(delivered),
        "files": {"a/a.js": {"from": "dist/a.js", "sha256": sha256}},
    }


def test_fetching_again_restores_a_file(package: dict[str, Any], tmp_path: Path) -> None:
    assert fetch_vendor.refresh(package, accept=False) == []
    assert (tmp_path / "a" / "a.js").read_bytes() == b"good"


@pytest.mark.parametrize("what", ["integrity", "sha256"])
def test_fetching_refuses_what_is_not_as_expected(
    what: str, package: dict[str, Any], tmp_path: Path
) -> None:
    holder = package if what == "integrity" else package["files"]["a/a.js"]
    holder[what] = "something else"
    (complaint,) = fetch_vendor.refresh(package, accept=False)
    assert "a@1.0.0" in complaint
    assert "not something else" in complaint
    assert not (tmp_path / "a").exists()


def test_an_upgrade_writes_the_new_hashes(package: dict[str, Any]) -> None:
    package["integrity"] = package["files"]["a/a.js"]["sha256"] = "of the version before"
    assert fetch_vendor.refresh(package, accept=True) == []
    assert package["integrity"].startswith("sha512-")
    assert package["files"]["a/a.js"]["sha256"] == hashlib.sha256(b"good").hexdigest()
