import os
import subprocess
import sys
from pathlib import Path

import pytest
from cookiecutter.environment import StrictEnvironment
from template import Template

ILLEGAL = {
    "project_name": {
        "": "1 to 80 characters",
        "   ": "1 to 80 characters",
        "two\nlines": "one line",
        "tab\tinside": "one line",
        "line\u2028separator": "one line",
        "turned \u202e round": "one line",
        "x" * 81: "1 to 80 characters",
        "{{ '{' ~ '{ name }}' }}": "without a brace before another",
    },
    "project_slug": {
        "2fast": "letters, digits and underscores",
        "my-site": "letters, digits and underscores",
        "my site": "letters, digits and underscores",
        "größe": "letters, digits and underscores",
        "_private": "letters, digits and underscores",
        "a/b/c": "letters, digits and underscores",
        "class": "Python keyword",
        "None": "Python keyword",
        "liveops": "hides a package",
        "config": "hides a package",
        "django": "hides a package",
        "Celery": "hides a package",
        "json": "hides a package",
        "com1": "Windows",
    },
    "domain_name": {
        "exa mple.com": "host name such as",
        "https://example.com": "host name such as",
        "example.com:8000": "host name such as",
        "example.com/path": "host name such as",
        "-a.example.com": "host name such as",
        "a..example.com": "host name such as",
        "example.com.": "host name such as",
        "münchen.de": "xn--",
        "intranet": "host name such as",
        f"{'a' * 64}.com": "host name such as",
        "999.999.999.999": "host name such as",
    },
    "admin_email": {
        "": "one address such as",
        "admin": "one address such as",
        "admin@": "one address such as",
        "@example.com": "one address such as",
        "a@b@example.com": "one address such as",
        "a b@example.com": "one address such as",
        ".a@example.com": "one address such as",
        "admin@exa mple": "one address such as",
        "Admin <admin@example.com>": "one address such as",
    },
    "timezone": {
        "": "time zone database",
        "Europe/Belin": "such as Europe/Berlin",
        "CET+1": "time zone database",
        "../UTC": "time zone database",
    },
    "required_group": {
        "x" * 151: "at most 150 characters",
        "two\nlines": "at most 150 characters",
        " padded": "at most 150 characters",
    },
}
CASES = [
    pytest.param(question, answer, legal, id=f"{question}-{answer[:20]!a}")
    for question, answers in ILLEGAL.items()
    for answer, legal in answers.items()
]


@pytest.mark.parametrize(("question", "answer", "legal"), CASES)
def test_an_illegal_answer_is_refused_in_one_line_and_leaves_nothing_behind(
    template: Template, tmp_path: Path, question: str, answer: str, legal: str
) -> None:
    answers = {"project_slug": "site_name", question: answer}
    if question == "domain_name":
        answers["admin_email"] = "admin@localhost"
    result = template.command_line(tmp_path, **answers)
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith(f"ERROR: {question} ")
    if not answer.startswith("{{"):
        assert ascii(answer) in lines[0]
    assert legal in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_no_package_of_the_site_can_be_hidden(template: Template) -> None:
    hook = (template.root / "hooks/pre_gen_project.py").read_text(encoding="utf-8")
    names = {Path(name).parts[0].removesuffix(".py") for name in template.site_files()}
    packages = {name for name in names if name.isidentifier() and name.islower()}
    assert {"config", "liveops", "manage"} <= packages
    assert [name for name in packages if f'"{name}"' not in hook] == []


def test_every_illegal_answer_gets_a_line_of_its_own(template: Template, tmp_path: Path) -> None:
    result = template.command_line(tmp_path, project_slug="json", timezone="Nowhere")
    lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]
    assert [line.split()[1] for line in lines] == ["project_slug", "timezone"]


def test_a_folder_that_holds_other_files_survives_a_refusal(
    template: Template, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/mine.txt").write_text("mine", encoding="utf-8")
    result = template.command_line(tmp_path, project_slug="a/b")
    assert result.returncode != 0
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "mine.txt"]


def test_without_a_time_zone_database_a_plausible_zone_is_accepted(
    template: Template, tmp_path: Path
) -> None:
    hook = (template.root / "hooks/pre_gen_project.py").read_text(encoding="utf-8")
    answers = {
        "project_name": "Site",
        "project_slug": "site_name",
        "domain_name": "localhost",
        "admin_email": "admin@localhost",
        "required_group": "",
    }
    # Without site-packages, where the tzdata package may be.
    python = [sys.executable, "-S"]
    env = {**os.environ, "PYTHONTZPATH": ""}
    probe = "import zoneinfo; print(len(zoneinfo.available_timezones()))"
    zones = subprocess.run([*python, "-c", probe], env=env, capture_output=True, check=True).stdout
    assert int(zones) == 0
    for zone, accepted in {"Europe/Berlin": True, "UTC": True, "no zone": False}.items():
        script = tmp_path / "hook.py"
        context = {**answers, "timezone": zone}
        rendered = StrictEnvironment(context={}).from_string(hook).render(cookiecutter=context)
        script.write_text(rendered, encoding="utf-8")
        done = subprocess.run(
            [*python, script], cwd=tmp_path, env=env, capture_output=True, check=False
        )
        assert (done.returncode == 0) == accepted, done.stderr
