import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import environ
import pytest
from cookiecutter.generate import generate_context, is_copy_only_path
from template import RENDERED, Template, tree

ODD_NAMES = {
    "Größe & <Ünïcode> 'x' 🚀": "grosse_unicode_x",
    'The "quoted" one': "the_quoted_one",
    "back\\slash \\n \\$ $HOME": "back_slash_n_home",
    "$HOME": "home",
    "# not a comment": "not_a_comment",
    '"': "live_operations",
    "'in single quotes'": "in_single_quotes",
    '"in double quotes"': "in_double_quotes",
    "ends with \\": "ends_with",
    "2024 imports": "site_2024_imports",
    "Данные": "dannye",
    "数据 中心": "shu_ju_zhong_xin",
    "👩‍🚀": "live_operations",
    "x" * 80: "x" * 40,
}


@pytest.fixture(scope="module")
def site(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.generate(tmp_path_factory.mktemp("default"))


def settings_of(site: Path) -> dict[str, str]:
    """What django-environ, which reads the file in the site, finds in `.env`."""

    class File(environ.Env):
        ENVIRON: ClassVar[dict[str, str]] = {}

    File.read_env(site / ".env")
    return File.ENVIRON


def test_every_default_is_accepted(site: Path) -> None:
    assert site.name == "live_operations"
    found = settings_of(site)
    assert found["SITE_NAME"] == "Live Operations"
    assert found["DOMAIN_NAME"] == "localhost"
    assert found["ADMIN_EMAIL"] == "admin@localhost"
    assert found["TIME_ZONE"] == "UTC"
    assert found["LIVEOPS_REQUIRED_GROUP"] == ""
    assert len(found["SECRET_KEY"]) >= 50
    assert len(found["METRICS_TOKEN"]) >= 50
    assert found["METRICS_TOKEN"] != found["SECRET_KEY"]


@pytest.mark.parametrize(("name", "slug"), ODD_NAMES.items())
def test_an_odd_name_gives_a_legal_folder_and_is_read_back_unchanged(
    template: Template, tmp_path: Path, name: str, slug: str
) -> None:
    site = template.generate(tmp_path, project_name=name, required_group=name.strip())
    assert site.name == slug
    assert settings_of(site)["SITE_NAME"] == name
    assert settings_of(site)["LIVEOPS_REQUIRED_GROUP"] == name.strip()


def test_answers_of_the_user_reach_the_settings(template: Template, tmp_path: Path) -> None:
    site = template.generate(
        tmp_path,
        project_slug="ops",
        domain_name="ops.example.com",
        admin_email="o'brien+ops@example.com",
        timezone="America/Argentina/Buenos_Aires",
    )
    found = settings_of(site)
    assert site.name == "ops"
    assert found["DOMAIN_NAME"] == "ops.example.com"
    assert found["ADMIN_EMAIL"] == "o'brien+ops@example.com"
    assert found["TIME_ZONE"] == "America/Argentina/Buenos_Aires"


def test_all_files_but_the_rendered_ones_are_byte_identical(template: Template, site: Path) -> None:
    generated = tree(site)
    assert set(generated) == template.site_files() | {".env"}
    for name in template.site_files() - RENDERED:
        source = template.site / name
        assert generated[name] == source.read_bytes(), name
        assert os.access(site / name, os.X_OK) == os.access(source, os.X_OK), name


def test_only_the_rendered_files_are_rendered(template: Template) -> None:
    context = generate_context(str(template.root / "cookiecutter.json"))
    rendered = {
        name
        for name in template.site_files()
        if not any(
            is_copy_only_path(str(path), context) for path in (Path(name), *Path(name).parents)
        )
    }
    assert rendered == RENDERED


def test_two_sites_differ_only_in_their_secrets(
    template: Template, site: Path, tmp_path: Path
) -> None:
    one, other = tree(site), tree(template.generate(tmp_path))
    assert {name for name in one if one[name] != other[name]} == {".env"}
    lines = zip(one[".env"].splitlines(), other[".env"].splitlines(), strict=True)
    differing = [before.partition(b"=")[0] for before, after in lines if before != after]
    assert differing == [b"SECRET_KEY", b"METRICS_TOKEN"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "METRICS_TOKEN"])
@pytest.mark.parametrize("count", [0, 2])
def test_a_secret_that_has_no_line_of_its_own_is_an_error(
    template: Template, tmp_path: Path, name: str, count: int
) -> None:
    changed = template.copy(tmp_path / "template")
    example = changed.site / ".env.example"
    text = example.read_text(encoding="utf-8")
    example.write_text(text.replace(f"\n{name}=\n", f"\n{name}=" * count + "\n"), encoding="utf-8")
    result = changed.command_line(tmp_path)
    assert result.returncode != 0
    assert f"has {count} empty lines for {name} instead of one" in result.stdout + result.stderr


def test_secrets_are_for_their_owner_only_and_ignored_by_git(site: Path) -> None:
    assert (site / ".env").stat().st_mode & 0o777 == 0o600
    subprocess.run(["git", "init", "-q", str(site)], check=True)
    listing = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"],
        cwd=site,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ".env.example" in listing
    assert not re.search(r"\.env$", listing, re.MULTILINE)


def test_nothing_speaks_of_cookiecutter(template: Template, tmp_path: Path) -> None:
    for name, content in tree(template.generate(tmp_path)).items():
        assert b"cookiecutter" not in content.lower(), name
        assert "cookiecutter" not in name


def test_caches_data_and_secrets_of_the_template_stay_behind(
    template: Template, tmp_path: Path
) -> None:
    worked_on = template.copy(tmp_path / "template")
    left_behind = {
        ".env": "SECRET_KEY=of-the-template",
        ".venv/bin/python": "",
        ".import_linter_cache/.gitignore": "*",
        ".import_linter_cache/liveops.data.json": "{{ this is no template }}",
        "__pycache__/dev.cpython-311.pyc": "",
        "var/db.sqlite3": "",
        "var/mypy_cache/3.11/a.json": "{{ this is no template }}",
        "var/ruff_cache/.gitignore": "*",
        "var/pytest_cache/README.md": "{% nor is this %}",
        "var/media/upload.csv": "",
        "operations/__pycache__/models.cpython-311.pyc": "",
        "operations/tests/__pycache__/test.pyc": "",
        "stray.pyc": "",
        ".DS_Store": "",
    }
    for name, content in left_behind.items():
        path = worked_on.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    site = worked_on.generate(tmp_path / "output")
    assert set(tree(site)) == template.site_files() | {".env"}
    assert "of-the-template" not in (site / ".env").read_text(encoding="utf-8")
    assert not any(path.is_dir() and not any(path.iterdir()) for path in site.rglob("*"))


def test_a_site_generated_again_keeps_its_secrets_and_data(
    template: Template, tmp_path: Path
) -> None:
    clone = template.copy(tmp_path / "template")
    site = clone.generate(tmp_path)
    secrets = (site / ".env").read_bytes()
    (site / "var/db.sqlite3").write_text("data", encoding="utf-8")
    (site / "manage.py").write_text("changed", encoding="utf-8")
    result = clone.command_line(tmp_path, "--overwrite-if-exists")
    assert result.returncode == 0, result.stderr
    assert (site / ".env").read_bytes() == secrets
    assert (site / "var/db.sqlite3").read_text(encoding="utf-8") == "data"
    assert (site / "manage.py").read_bytes() == (template.site / "manage.py").read_bytes()


def test_file_names_are_legal_on_windows(template: Template, site: Path) -> None:
    names = {path.relative_to(site).as_posix() for path in site.rglob("*")} | set(template.files())
    device = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
    for name in names:
        assert len(name) <= 180, name
        for part in Path(name).parts:
            assert not re.search(r'[<>:"\\|?*\x00-\x1f]', part), name
            assert not part.endswith((".", " ")), name
            assert not device.fullmatch(part), name
    assert len({name.casefold() for name in names}) == len(names)


def test_generation_takes_less_than_a_second(
    template: Template, tmp_path: Path, report: Callable[[str], None]
) -> None:
    seconds = []
    for number in range(3):
        started = time.perf_counter()
        template.generate(tmp_path, project_slug=f"site{number}")
        seconds.append(time.perf_counter() - started)
    report(f"generating a site: {min(seconds):.2f} s (target: under 1 s)")
    # Well above the target, so that a busy machine does not fail it.
    assert min(seconds) < 5


def test_the_next_steps_are_printed(template: Template, tmp_path: Path) -> None:
    result = template.command_line(tmp_path, project_slug="ops")
    assert result.returncode == 0, result.stderr
    readme = (tmp_path / "ops/README.md").read_text(encoding="utf-8")
    steps = [line.strip() for line in result.stdout.splitlines() if line.startswith("  ")]
    assert steps[0] == "cd ops"
    assert "\n".join(steps[1:]) in readme


def test_questions_are_asked_in_words(template: Template, tmp_path: Path) -> None:
    asked = template.command_line(tmp_path, typed="My site\n\n\n\n\n\n")
    assert asked.returncode == 0, asked.stderr
    assert (tmp_path / "my_site").is_dir()
    prompts = json.loads((template.root / "cookiecutter.json").read_text())["__prompts__"]
    assert len(prompts) == 6
    shown = " ".join(asked.stdout.split())
    assert [text for text in prompts.values() if text not in shown] == []
