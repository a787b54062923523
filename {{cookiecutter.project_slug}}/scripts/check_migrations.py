"""Look for migrations that the version which runs meanwhile could not live with:
``python scripts/check_migrations.py``. docs/migrations.md says why, and how to go on.

Ends with 0 when there is none. Asks no database.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import django
from django.apps import apps
from django.db.migrations import (
    AddConstraint,
    AddField,
    AlterField,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveField,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field, ForeignKey, GeneratedField, ManyToManyField
from django.db.models.fields import NOT_PROVIDED

SITE = Path(__file__).resolve().parent.parent
# What a migration says that is right all the same, and why.
REASON = "safe_while_running"
LATER = (
    "Take two releases: remove it from the models alone first, with "
    "SeparateDatabaseAndState(state_operations=[...]), and from the database in a later one, which "
    f"says in {REASON} that no version reads it any more."
)
INSERTED = "Give it a db_default or null=True."
WRITTEN = f"Take two releases: the first stops writing such rows, the second says so in {REASON}."
# Whatever fits into the first fits into the second.
WIDER = {
    ("CharField", "TextField"),
    ("SlugField", "CharField"),
    ("SlugField", "TextField"),
    ("SmallIntegerField", "IntegerField"),
    ("SmallIntegerField", "BigIntegerField"),
    ("IntegerField", "BigIntegerField"),
    ("PositiveSmallIntegerField", "PositiveIntegerField"),
    ("PositiveSmallIntegerField", "PositiveBigIntegerField"),
    ("PositiveIntegerField", "PositiveBigIntegerField"),
    ("AutoField", "BigAutoField"),
    ("SmallAutoField", "AutoField"),
    ("SmallAutoField", "BigAutoField"),
}


def main() -> int:
    sys.path.insert(0, str(SITE))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DEBUG"] = "1"
    django.setup()
    ours = {each.label for each in apps.get_app_configs() if _is_ours(Path(each.path))}
    loader = MigrationLoader(None)
    found = list(problems(in_order(loader), ours))
    for line in found:
        print(f"{line}\n")
    print(f"migrations that older versions cannot live with: {len(found)}")
    return 1 if found else 0


def _is_ours(folder: Path) -> bool:
    """A virtual environment may lie within the site."""
    return folder.is_relative_to(SITE) and not {"site-packages", "dist-packages"} & {*folder.parts}


def in_order(loader: MigrationLoader) -> list[Migration]:
    """All of them, each after those that it depends on."""
    keys = [key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf)]
    return [loader.graph.nodes[key] for key in dict.fromkeys(keys)]


def problems(migrations: Iterable[Migration], labels: set[str]) -> Iterator[str]:
    """What is wrong with the migrations of these apps, a text for each operation."""
    state = ProjectState()
    for migration in migrations:
        found = list(_examine(migration, state))
        if migration.app_label not in labels:
            continue
        name = f"{migration.app_label}.{migration.name}"
        reason = getattr(migration, REASON, None)
        if reason is None:
            yield from (f"{name}: {each}" for each in found)
        elif not (isinstance(reason, str) and reason.strip()):
            yield f"{name}: {REASON} is {reason!r}. Say in words why older versions can go on."


def _examine(migration: Migration, state: ProjectState) -> Iterator[str]:
    """The same for one migration; takes `state` through it."""
    label = migration.app_label
    # No older version knows them, so whatever happens to them is no matter.
    new: set[str] = set()
    for operation in migration.operations:
        for each in _in_database(operation):
            if isinstance(each, CreateModel):
                new.add(each.name_lower)
            elif _model_of(each) not in new:
                yield from _problems_of(each, label, state)
        operation.state_forwards(label, state)


def _in_database(operation: Operation) -> Iterator[Operation]:
    if isinstance(operation, SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from _in_database(each)
    else:
        yield operation


def _model_of(operation: Operation) -> str:
    name = getattr(operation, "model_name", None) or getattr(operation, "name", None)
    return str(name or "").lower()


def _problems_of(operation: Operation, label: str, state: ProjectState) -> Iterator[str]:
    for why in (
        *_what_is_gone(operation, label, state),
        *_what_is_stricter(operation, label, state),
        *_what_nobody_knows(operation),
    ):
        yield f"{operation.describe()}: {why}"


def _what_is_gone(operation: Operation, label: str, state: ProjectState) -> Iterator[str]:
    match operation:
        case RemoveField():
            yield f"older versions still read and write it. {LATER}"
        case DeleteModel() if _has_table(state, label, operation.name_lower):
            yield f"older versions still read and write its table. {LATER}"
        case RenameField():
            field = _field(state, label, operation.model_name_lower, operation.old_name)
            if field is None or not field.db_column:
                yield (
                    "older versions know the old column alone. Set db_column to its name in an "
                    "AlterField before, and keep it, or add a second field."
                )
        case RenameModel() if _has_table(state, label, operation.old_name_lower):
            yield (
                "older versions know the old table alone. Rename the class with "
                "SeparateDatabaseAndState(state_operations=[...]) and keep the name in db_table."
            )
        case AlterModelTable():
            yield "older versions know the old table alone. Keep its name."


def _what_is_stricter(operation: Operation, label: str, state: ProjectState) -> Iterator[str]:
    match operation:
        case AddField() if _must_be_given(operation.field):
            yield f"older versions insert rows without it, and it may not be NULL. {INSERTED}"
        case AlterOrderWithRespectTo() if operation.order_with_respect_to:
            yield "older versions insert rows without _order. Add a field with a db_default."
        case AlterField():
            before = _field(state, label, operation.model_name_lower, operation.name)
            if before is not None:
                yield from _changes(operation.name, before, operation.field)
        case AddConstraint():
            yield f"older versions may still write rows against it. {WRITTEN}"
        case AlterUniqueTogether() if operation.option_value:
            yield f"older versions may still write rows against it. {WRITTEN}"


def _what_nobody_knows(operation: Operation) -> Iterator[str]:
    match operation:
        case RunPython() if not operation.reversible:
            yield (
                "it cannot be taken back. Give it a reverse_code; migrations.RunPython.noop, where "
                "nothing needs to be."
            )
        case RunSQL():
            yield (
                f"this check reads no SQL. Read it, and say in {REASON} why older versions can go "
                "on."
            )


def _has_table(state: ProjectState, label: str, model: str) -> bool:
    found = state.models.get((label, model))
    return found is None or not (
        found.options.get("proxy") or found.options.get("managed") is False
    )


def _field(state: ProjectState, label: str, model: str, name: str) -> Field | None:
    found = state.models.get((label, model))
    return found.fields.get(name) if found else None


def _must_be_given(field: Field) -> bool:
    """Whether no row can be inserted without it."""
    is_column = not isinstance(field, ManyToManyField | GeneratedField)
    return is_column and not field.null and not _has_default(field)


def _has_default(field: Field) -> bool:
    return field.db_default is not NOT_PROVIDED


def _column(name: str, field: Field) -> str:
    return field.db_column or (f"{name}_id" if isinstance(field, ForeignKey) else name)


def _changes(name: str, before: Field, after: Field) -> Iterator[str]:
    if before.null and not after.null:
        yield f"older versions may still write NULL. {WRITTEN}"
    if after.unique and not before.unique:
        yield f"older versions may still write the same value twice. {WRITTEN}"
    if _has_default(before) and _must_be_given(after):
        yield f"older versions leave its value to the database. {INSERTED}"
    if (column := _column(name, before)) != _column(name, after):
        yield f"older versions know the column {column} alone. Keep it."
    types = before.get_internal_type(), after.get_internal_type()
    if types[0] != types[1] and types not in WIDER:
        yield (
            f"a {types[1]} need not take what older versions write into a {types[0]}. Add a second "
            "field, write both in this release, and remove the first in a later one."
        )
    for limit in ("max_length", "max_digits", "decimal_places"):
        was, is_now = getattr(before, limit, None), getattr(after, limit, None)
        if is_now is not None and was is not None and is_now < was and types[0] == types[1]:
            yield f"older versions may still write values of {limit} {was}. {WRITTEN}"


if __name__ == "__main__":
    sys.exit(main())
