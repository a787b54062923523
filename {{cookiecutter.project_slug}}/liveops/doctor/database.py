"""The database: the record of everything."""

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from liveops.doctor.diagnosis import Check, Doubtful, Wrong

NAMED = 3


def address() -> str:
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        return f"SQLite at {database['NAME']}"
    port = f":{database['PORT']}" if database.get("PORT") else ""
    return f"{connection.display_name} at {database.get('HOST', '')}{port}/{database['NAME']}"


def check_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if connection.vendor == "sqlite" and not settings.DEBUG:
        raise Doubtful(
            "it answers, but has one writer at a time and lives on one host",
            "Fine for one person on one machine; else set DATABASE_URL to a PostgreSQL database.",
        )
    if is_pooled() and not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        raise Doubtful(
            "it answers through a pool of connections, and DATABASE_POOLED is not set",
            "Set DATABASE_POOLED=1, unless the pool keeps a session for each client. Without it, "
            "runs wait for locks for too long, and large reads fail.",
        )
    version = ".".join(map(str, connection.get_database_version()))
    return f"{address()} answers, version {version}"


def is_pooled() -> bool:
    """Whether something such as PgBouncer is in between, which names another process than works."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (works,) = cursor.fetchone()
    return bool(works != connection.connection.info.backend_pid)


def check_migrations() -> str:
    try:
        missing = unapplied()
    except InconsistentMigrationHistory as error:
        raise Wrong(
            str(error), "Restore the database from a backup of this version of the site."
        ) from error
    if missing:
        raise Wrong(f"not applied: {few_of(missing)}")
    return "all are applied"


def unapplied() -> list[str]:
    """`app.name` of each migration that the code has and the database has not, in their order."""
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def few_of(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if names[NAMED:] else ""
    return ", ".join(names[:NAMED]) + more


CHECKS = (
    Check(
        name="Database",
        examine=check_database,
        where=address,
        mend="Start the database server, or correct DATABASE_URL.",
    ),
    Check(
        name="Migrations",
        examine=check_migrations,
        mend="Run `python manage.py migrate`.",
        within=20.0,
        needs=("Database",),
    ),
)
