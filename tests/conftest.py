"""Keep cookiecutter and cruft away from the user's folders; print what was measured at the end."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from template import Template

ROOT = Path(__file__).resolve().parent.parent
FIGURES = pytest.StashKey[list[str]]()
LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []
    config.stash[LEFT_OUT] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash[FIGURES]:
        terminalreporter.section("figures")
        for figure in config.stash[FIGURES]:
            terminalreporter.line(figure)
    if config.stash[LEFT_OUT]:
        title = "LEFT OUT of the site's tests, so not proved by this run"
        terminalreporter.section(title, sep="!", red=True, bold=True)
        for reason in config.stash[LEFT_OUT]:
            terminalreporter.line(reason)
        terminalreporter.line("REQUIRE_ALL=1 makes missing programs failures.")


@pytest.fixture
def report(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line after the test run."""
    return pytestconfig.stash[FIGURES].append


@pytest.fixture
def left_out(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print, after the test run, what could not be tested and why."""
    return pytestconfig.stash[LEFT_OUT].append


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "config.yaml").write_text(
        f"replay_dir: {home / 'replay'}\ncookiecutters_dir: {home / 'cookiecutters'}\n",
        encoding="utf-8",
    )
    return home


@pytest.fixture(scope="session")
def user_environment() -> dict[str, str]:
    """The environment with the user's own folders, where pip and Playwright keep settings."""
    return dict(os.environ)


@pytest.fixture(autouse=True)
def no_user_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(home / "config.yaml"))


@pytest.fixture(scope="session")
def template(home: Path) -> Template:
    """This template, as it stands in the working tree."""
    return Template(ROOT, home / "config.yaml")


@pytest.fixture(scope="session")
def site_python() -> str:
    """A Python that has everything that the site's requirements/dev.txt lists."""
    python = os.environ.get("SITE_PYTHON", "")
    assert python, "SITE_PYTHON names no Python with the site's requirements: use make test"
    return python
