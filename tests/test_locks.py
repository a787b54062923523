"""Locked requirements install anywhere: with hashes, and without the address of an index."""

import re
from pathlib import Path

import pytest
from template import SITE, Template

LOCKS = [
    "requirements.txt",
    "tests/requirements.txt",
    *(f"{SITE}/requirements/{name}.txt" for name in ("base", "production", "embedded", "dev")),
    *(
        f"benchmarks/requirements/{name}.txt"
        for name in ("celery-progress", "django-liveops", "tools")
    ),
]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_a_version_and_hashes(template: Template, lock: str) -> None:
    text = re.sub(r"^ *#.*\n", "", (template.root / lock).read_text(encoding="utf-8"), flags=re.M)
    requirements = text.replace("\\\n", " ").splitlines()
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+(\[[a-z0-9,]+\])?==\S+ ", requirement), requirement
        assert re.search(r" --hash=sha256:[0-9a-f]{64}", requirement), requirement
        assert "://" not in requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_asked_for_is_locked(template: Template, lock: str) -> None:
    wanted = (template.root / lock).with_suffix(".in").read_text(encoding="utf-8").splitlines()
    names = [re.split(r"[^A-Za-z0-9-]", line)[0] for line in wanted if re.match(r"[A-Za-z]", line)]
    assert names
    locked = Path(template.root / lock).read_text(encoding="utf-8")
    for name in names:
        assert re.search(rf"^{name.lower()}(\[|==)", locked, re.MULTILINE), name
