"""What the tests know of the template: its files, and how to generate a site from it."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cookiecutter.main import cookiecutter

SITE = "{{cookiecutter.project_slug}}"

# The only files that hold answers; every other one is the same in all sites.
RENDERED = {".env.example", "README.md"}


@dataclass(frozen=True)
class Template:
    root: Path
    config: Path

    @property
    def site(self) -> Path:
        return self.root / SITE

    def files(self) -> list[str]:
        """All files that git tracks, or would track, relative to the root."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=self.root, capture_output=True, check=True).stdout
        names = {name for name in listing.decode().split("\0") if name}
        return sorted(name for name in names if (self.root / name).is_file())

    def site_files(self) -> set[str]:
        prefix = f"{SITE}/"
        return {name.removeprefix(prefix) for name in self.files() if name.startswith(prefix)}

    def copy(self, target: Path) -> "Template":
        for name in self.files():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.root / name, target / name)
        return Template(target, self.config)

    def generate(self, output: Path, **answers: str) -> Path:
        return Path(
            cookiecutter(
                str(self.root),
                no_input=True,
                extra_context=answers,
                output_dir=str(output),
                config_file=str(self.config),
            )
        )

    def command_line(
        self, output: Path, *options: str, typed: str | None = None, **answers: str
    ) -> subprocess.CompletedProcess[str]:
        """Run cookiecutter as a user does, who types answers or accepts all defaults."""
        command = [sys.executable, "-m", "cookiecutter", *options]
        command += [] if typed else ["--no-input"]
        command += ["--output-dir", str(output), str(self.root)]
        command += [f"{question}={answer}" for question, answer in answers.items()]
        return subprocess.run(
            command, input=typed or "", capture_output=True, encoding="utf-8", check=False
        )


def tree(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
