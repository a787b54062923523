import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import operations
from liveops.models import kinds
from operations.export_contacts import ExportContacts
from operations.find_duplicates import FindDuplicates
from operations.import_contacts import ImportContacts
from operations.normalise_contacts import NormaliseContacts

MODELS = Path(operations.__path__[0]) / "models.py"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package `operations` with nothing but this site's way to find modules."""
    folder = tmp_path / "operations"
    folder.mkdir()
    (folder / "__init__.py").touch()
    shutil.copy(MODELS, folder)
    return folder


def load(package: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", "import operations.models"],
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_operations_of_this_site_are_found() -> None:
    ours = {ImportContacts, ExportContacts, FindDuplicates, NormaliseContacts}
    assert ours <= set(kinds())


def test_a_new_file_and_a_new_folder_need_no_registration(package: Path) -> None:
    (package / "new_thing.py").write_text("print('new thing')")
    (package / "reports").mkdir()
    (package / "reports" / "__init__.py").write_text("print('reports')")
    loaded = load(package)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split("\n")[:2] == ["new thing", "reports"]


def test_what_holds_no_models_is_left_alone(package: Path) -> None:
    for name in ("admin", "apps", "_private"):
        (package / f"{name}.py").write_text("raise RuntimeError('imported')")
    for name in ("migrations", "tests"):
        (package / name).mkdir()
        (package / name / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "samples").mkdir()
    (package / "samples" / "script.py").write_text("raise RuntimeError('imported')")
    loaded = load(package)
    assert loaded.returncode == 0, loaded.stderr


def test_an_error_in_a_module_comes_through_unchanged(package: Path) -> None:
    (package / "broken.py").write_text("import a_package_that_is_not_installed")
    loaded = load(package)
    assert loaded.returncode == 1
    last = loaded.stderr.strip().splitlines()[-1]
    assert last == "ModuleNotFoundError: No module named 'a_package_that_is_not_installed'"
    assert "broken.py" in loaded.stderr
