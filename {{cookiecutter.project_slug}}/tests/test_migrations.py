"""What the version that runs meanwhile could not live with is found, and what it can is not."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations import RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from scripts.check_migrations import problems
from tests.processes import PYTHON, SITE

PAGE = (SITE / "docs" / "migrations.md").read_text(encoding="utf-8")
FIRST: list[Operation] = [
    migrations.CreateModel(
        "Parcel",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("note", models.CharField(max_length=50, null=True)),
            ("weight", models.IntegerField(db_default=1)),
            ("old", models.CharField(max_length=50, db_column="kept")),
            ("sender", models.ForeignKey("site.Parcel", models.CASCADE, null=True)),
        ],
    ),
    migrations.CreateModel("Express", [], options={"proxy": True}, bases=("site.parcel",)),
]


def change(*operations: Operation, **attributes: Any) -> list[str]:
    """The problems of a second migration of these operations."""
    first = type("Migration", (migrations.Migration,), {"operations": FIRST})(
        "0001_initial", "site"
    )
    second = type(
        "Migration", (migrations.Migration,), {"operations": list(operations), **attributes}
    )("0002_change", "site")
    return list(problems([first, second], {"site"}))


def add(name: str, field: models.Field) -> Operation:
    return migrations.AddField("Parcel", name, field)


def alter(name: str, field: models.Field) -> Operation:
    return migrations.AlterField("Parcel", name, field)


def nothing(apps: Any, schema_editor: Any) -> None:
    pass


UNSAFE = {
    "a field is removed": migrations.RemoveField("Parcel", "note"),
    "a model is deleted": migrations.DeleteModel("Parcel"),
    "a column is renamed": migrations.RenameField("Parcel", "note", "text"),
    "a table is renamed": migrations.RenameModel("Parcel", "Packet"),
    "a table gets another name": migrations.AlterModelTable("Parcel", "packets"),
    "a field must be given": add("size", models.IntegerField(default=0)),
    "a relation must be given": add("to", models.ForeignKey("site.Parcel", models.CASCADE)),
    "an order must be given": migrations.AlterOrderWithRespectTo("Parcel", "sender"),
    "NULL is refused": alter("note", models.CharField(max_length=50, db_default="")),
    "the database fills in no more": alter("weight", models.IntegerField()),
    "the column is another": alter(
        "note", models.CharField(max_length=50, null=True, db_column="n")
    ),
    "it holds less": alter("note", models.CharField(max_length=20, null=True)),
    "it holds something else": alter("weight", models.UUIDField(null=True)),
    "a value comes once": alter("note", models.CharField(max_length=50, null=True, unique=True)),
    "values come together once": migrations.AlterUniqueTogether("Parcel", {("note", "weight")}),
    "rows are refused": migrations.AddConstraint(
        "Parcel", models.CheckConstraint(condition=models.Q(weight__gt=0), name="heavy")
    ),
    "Python without a way back": RunPython(nothing),
    "SQL that is not read": migrations.RunSQL("DROP TABLE x", migrations.RunSQL.noop),
    "only the database": SeparateDatabaseAndState([migrations.RemoveField("Parcel", "note")], []),
}
SAFE = {
    "a model is new": migrations.CreateModel(
        "Label", [("id", models.BigAutoField(primary_key=True))]
    ),
    "a field may be NULL": add("size", models.IntegerField(null=True)),
    "the database fills it in": add("size", models.IntegerField(db_default=0)),
    "it is many": add("labels", models.ManyToManyField("site.Parcel")),
    "the database computes it": add(
        "double",
        models.GeneratedField(
            expression=models.F("weight") * 2,
            output_field=models.IntegerField(),
            db_persist=True,
        ),
    ),
    "NULL is allowed": alter("old", models.CharField(max_length=50, null=True, db_column="kept")),
    "it holds more": alter("note", models.CharField(max_length=90, null=True)),
    "it holds all that it held": alter("weight", models.BigIntegerField(db_default=1)),
    "it has no limit now": alter("note", models.TextField(null=True)),
    "its column is written down": alter(
        "sender", models.ForeignKey("site.Parcel", models.CASCADE, null=True, db_column="sender_id")
    ),
    "the name in Python is another": migrations.RenameField("Parcel", "old", "new"),
    "there was no table": migrations.DeleteModel("Express"),
    "no row is refused": migrations.AlterUniqueTogether("Parcel", set()),
    "Python with a way back": RunPython(nothing, RunPython.noop),
    "an index": migrations.AddIndex("Parcel", models.Index(fields=["note"], name="by_note")),
    "only the models": SeparateDatabaseAndState([], [migrations.RemoveField("Parcel", "note")]),
}


@pytest.mark.parametrize("operation", UNSAFE.values(), ids=UNSAFE)
def test_found(operation: Operation) -> None:
    (problem,) = change(operation)
    assert problem.startswith(f"site.0002_change: {describe(operation)}: ")
    # How to go on, after what is wrong.
    assert problem.count(". ") >= 1


def describe(operation: Operation) -> str:
    if isinstance(operation, SeparateDatabaseAndState):
        (operation,) = operation.database_operations
    return operation.describe()


@pytest.mark.parametrize("operation", SAFE.values(), ids=SAFE)
def test_not_found(operation: Operation) -> None:
    assert change(operation) == []


def test_one_that_the_database_fills_in_hides_no_other() -> None:
    found = change(add("a", models.IntegerField()), add("b", models.IntegerField(db_default=0)))
    assert [each.split(": ")[1] for each in found] == ["Add field a to Parcel"]


def test_what_is_new_may_change() -> None:
    new = migrations.CreateModel("Label", [("id", models.BigAutoField(primary_key=True))])
    assert change(new, migrations.AddField("Label", "text", models.TextField())) == []


def test_a_migration_may_say_why_it_is_right() -> None:
    removal = migrations.RemoveField("Parcel", "note")
    assert change(removal, safe_while_running="No version since May reads it.") == []


@pytest.mark.parametrize("reason", ["", " ", True])
def test_a_reason_has_words(reason: object) -> None:
    (problem,) = change(migrations.RemoveField("Parcel", "note"), safe_while_running=reason)
    assert "Say in words why" in problem


def test_those_of_packages_are_not_ours() -> None:
    first = type("Migration", (migrations.Migration,), {"operations": FIRST})(
        "0001_initial", "site"
    )
    assert list(problems([first], set())) == []


def check(settings: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "scripts/check_migrations.py"],
        cwd=SITE,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": settings,
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("settings", ["config.settings", "tests.settings"])
def test_the_migrations_of_the_site(settings: str) -> None:
    done = check(settings)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout == "migrations that older versions cannot live with: 0\n"


@pytest.fixture
def courier() -> Iterator[Path]:
    """An app of this site's, with a migration that removes a field; on the import path with it."""
    folder = Path(tempfile.mkdtemp(prefix="test-migrations-", dir=SITE / "var"))
    migrations_folder = folder / "courier" / "migrations"
    migrations_folder.mkdir(parents=True)
    for package in (migrations_folder.parent, migrations_folder):
        (package / "__init__.py").touch()
    (folder / "courier_settings.py").write_text(
        'from config.settings import *\n\nINSTALLED_APPS = [*INSTALLED_APPS, "courier"]\n'
    )
    create = "CreateModel('Parcel', [('id', models.BigAutoField(primary_key=True)), "
    note = "('note', models.TextField(null=True))])"
    for number, depends, operation in [
        ("0001_initial", "", f"{create}{note}"),
        ("0002_remove", "('courier', '0001_initial')", "RemoveField('Parcel', 'note')"),
    ]:
        (migrations_folder / f"{number}.py").write_text(
            "from django.db import migrations, models\n\n"
            "class Migration(migrations.Migration):\n"
            f"    dependencies = [{depends}]\n"
            f"    operations = [migrations.{operation}]\n"
        )
    yield folder
    shutil.rmtree(folder)


def test_what_it_finds_fails_the_gate(courier: Path) -> None:
    assert "scripts/check_migrations.py" in (SITE / "Makefile").read_text(encoding="utf-8")
    done = check("courier_settings", PYTHONPATH=str(courier))
    assert done.returncode == 1, done.stderr
    assert "courier.0002_remove: Remove field note from Parcel: older versions" in done.stdout
    assert done.stdout.endswith("migrations that older versions cannot live with: 1\n")


def test_the_page_names_every_operation_that_is_found() -> None:
    for operation in UNSAFE.values():
        assert f"`{type(operation).__name__}`" in PAGE
