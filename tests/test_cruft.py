import json
import subprocess
from pathlib import Path

from cruft import create
from template import Template, tree

GIT = [
    "git",
    "-c",
    "user.name=Test",
    "-c",
    "user.email=test@localhost",
    "-c",
    "commit.gpgsign=false",
]


def test_cruft_makes_the_same_site(template: Template, tmp_path: Path) -> None:
    repository = template.copy(tmp_path / "repository")
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "Template"]):
        subprocess.run([*GIT, *command], cwd=repository.root, check=True)
    answers = {"project_name": "Größe & <Ünïcode> 'x' 🚀", "timezone": "Asia/Tokyo"}
    by_cruft = create(
        str(repository.root),
        output_dir=tmp_path / "cruft",
        config_file=repository.config,
        extra_context=answers,
        no_input=True,
    )
    by_cookiecutter = repository.generate(tmp_path / "cookiecutter", **answers)

    made, expected = tree(by_cruft), tree(by_cookiecutter)
    stored = json.loads(made.pop(".cruft.json"))
    secrets = made.pop(".env")
    assert made.keys() | {".env"} == expected.keys()
    assert {name for name in made if made[name] != expected[name]} == set()
    key = secrets.decode().split("SECRET_KEY=")[1].split()[0]
    assert len(key) >= 50
    assert key not in json.dumps(stored)
