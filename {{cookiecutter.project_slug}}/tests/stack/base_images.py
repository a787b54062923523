"""The images that Dockerfile and compose.yaml build upon: pulled, or stand-ins of the same names.

Where no registry can be reached, podman gets them made of Debian's packages: the same commands,
variables and volumes, other versions. What is tested is this site's files, not those images.
"""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import yaml

from tests.processes import SITE
from tests.stack.engine import STORAGE, Engine

STANDINS = Path(__file__).parent / "standins"
PULL_WITHIN = 240
# What lets this machine reach its packages: a mirror, a proxy, certificates. Never committed.
OF_THIS_MACHINE = (
    "/etc/apt/apt.conf.d",
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/pip.conf",
    "/etc/ssl/certs/ca-certificates.crt",
)
URIS = re.compile(r"^(?:URIs:|deb(?: \[.*\])?) *(?P<uri>\S+)(?: +(?P<suite>\S+))?", re.MULTILINE)


def base_images() -> list[str]:
    """Each with its tag, as the files name them."""
    services = yaml.safe_load((SITE / "compose.yaml").read_text())["services"].values()
    named = {each["image"] for each in services if "build" not in each}
    dockerfile = (SITE / "Dockerfile").read_text()
    version = re.search(r"^ARG PYTHON_VERSION=(\S+)$", dockerfile, re.MULTILINE)
    assert version
    return sorted({*named, f"python:{version[1]}-slim"})


def provide_base_images(engine: Engine) -> str:
    """Sees to it that they are there, and says how."""
    names = base_images()
    if all(engine.has_image(name) for name in names) and not are_old_standins(engine, names[0]):
        return "at hand"
    pulled = [engine.try_to("pull", name, within=PULL_WITHIN).returncode == 0 for name in names[:1]]
    if all(pulled):
        for name in names[1:]:
            engine.run("pull", name, within=PULL_WITHIN)
        return "pulled"
    if engine.name != "podman":
        raise AssertionError(f"{names[0]} cannot be pulled, and stand-ins are for podman alone")
    build_standins(engine, names)
    return "stand-ins of Debian packages"


def fingerprint() -> str:
    files = sorted(path for path in STANDINS.iterdir() if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def are_old_standins(engine: Engine, name: str) -> bool:
    label = engine.run("image", "inspect", "--format", '{{index .Labels "standin"}}', name)
    return label not in {"", "<no value>", fingerprint()}


def build_standins(engine: Engine, names: list[str]) -> None:
    if not engine.has_image("localhost/debian"):
        import_debian(engine)
    context = STORAGE / "standins"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(STANDINS, context)
    for source in map(Path, OF_THIS_MACHINE):
        target = context / "machine" / source.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            target.mkdir()
            for file in source.iterdir():
                if file.suffix in {".sources", ".list"} or source.name == "apt.conf.d":
                    shutil.copy(file, target)
        elif source.is_file():
            shutil.copy(source, target)
    for name in names:
        target_stage = name.partition(":")[0]
        options = ["--network", "host", "--target", target_stage, "--tag", name]
        labels = ["--label", f"standin={fingerprint()}"]
        engine.run("build", "--quiet", *options, *labels, str(context), within=900)


def import_debian(engine: Engine) -> None:
    """The smallest Debian, from the mirror that this machine's own apt uses."""
    if not shutil.which("debootstrap"):
        raise AssertionError("no registry can be reached, and debootstrap was not found")
    mirror, suite = mirror_and_suite()
    root = STORAGE / "debian"
    shutil.rmtree(root, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", suite, str(root), mirror]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise AssertionError(f"debootstrap failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    archive = STORAGE / "debian.tar"
    subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
    engine.run("import", str(archive), "localhost/debian")
    archive.unlink()
    shutil.rmtree(root)


def mirror_and_suite() -> tuple[str, str]:
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    codename = re.search(r"^VERSION_CODENAME=(\S+)$", release, re.MULTILINE)
    sources = Path("/etc/apt")
    files = [sources / "sources.list", *sorted((sources / "sources.list.d").glob("*.sources"))]
    texts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    found = URIS.search("\n".join(texts))
    if not (codename and found):
        raise AssertionError("this machine's apt names no mirror in /etc/apt")
    return found["uri"], codename[1]
