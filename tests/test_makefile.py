import re
import subprocess

from template import Template


def test_help_tells_of_every_target(template: Template) -> None:
    makefile = (template.root / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets
    command = ["make", "help"]
    shown = subprocess.run(
        command, cwd=template.root, capture_output=True, text=True, check=True
    ).stdout
    for target in targets[1].split():
        assert re.search(rf"^  make {target} +\S", shown, re.MULTILINE), target
