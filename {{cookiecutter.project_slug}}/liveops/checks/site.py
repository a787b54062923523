"""Whether accounts, database, hosts and files are set up so that operations are safe."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core import checks
from django.db import connections, router
from django.utils.module_loading import import_string

from liveops.checks.values import value_of
from liveops.models import kinds
from liveops.policy import Policy

SQLITE = "django.db.backends.sqlite3"


@checks.register(checks.Tags.database)
def check_groups(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> Iterator[checks.CheckMessage]:
    alias = router.db_for_read(Group)
    if alias not in (databases or ()):
        return
    if Group._meta.db_table not in connections[alias].introspection.table_names():
        return  # before the first migration
    wanted = {'LIVEOPS["REQUIRED_GROUP"]': value_of("REQUIRED_GROUP")}
    wanted |= {f"{kind.__name__}.required_group": kind.required_group for kind in kinds()}
    for where, name in wanted.items():
        if name and not Group.objects.using(alias).filter(name=name).exists():
            yield checks.Warning(
                f"{where} is {name!r}, and there is no such group: only superusers pass.",
                hint="Add it with `manage.py create_groups --add USERNAME`, or correct the name.",
                id="liveops.W020",
            )


@checks.register(checks.Tags.security)
def check_policy(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    path = value_of("POLICY")
    if not path:
        return
    try:
        found = import_string(path)
    except ImportError as error:
        found, why = None, str(error)
    else:
        why = f"{found!r} is no subclass of liveops.policy.Policy."
    if not (isinstance(found, type) and issubclass(found, Policy)):
        yield checks.Error(
            f'LIVEOPS["POLICY"] is {path!r}: {why}',
            hint="Name a subclass of liveops.policy.Policy with the path of its module, such as "
            '"accounts.policy.TeamPolicy", or leave it out.',
            id="liveops.E025",
        )


@checks.register(checks.Tags.compatibility)
def check_sqlite(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    for alias, database in settings.DATABASES.items():
        if database.get("ENGINE") != SQLITE:
            continue
        options = database.get("OPTIONS", {})
        if str(options.get("transaction_mode", "")).upper() != "IMMEDIATE":
            yield checks.Warning(
                f'DATABASES["{alias}"] is SQLite without transaction_mode IMMEDIATE: a transaction '
                "that reads before it writes fails at once when another one writes.",
                hint='Set OPTIONS["transaction_mode"] to "IMMEDIATE".',
                id="liveops.W021",
            )
        if "journal_mode=wal" not in str(options.get("init_command", "")).lower().replace(" ", ""):
            yield checks.Warning(
                f'DATABASES["{alias}"] is SQLite without a write-ahead log: pages wait for '
                "whoever writes.",
                hint='Set OPTIONS["init_command"] to "PRAGMA journal_mode=WAL".',
                id="liveops.W022",
            )


@checks.register(checks.Tags.security)
def check_hosts(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS and not value_of("ALLOWED_ORIGINS") and not settings.DEBUG:
        yield checks.Warning(
            'ALLOWED_HOSTS has "*", so a page of any site may open the websocket.',
            hint='Name the hosts, or set LIVEOPS["ALLOWED_ORIGINS"].',
            id="liveops.W023",
        )


@checks.register(checks.Tags.files)
def check_media(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not settings.MEDIA_ROOT:
        return
    media = Path(settings.MEDIA_ROOT).resolve()
    served: dict[Any, str] = {settings.STATIC_ROOT: "STATIC_ROOT"}
    entries: list[Any] = list(settings.STATICFILES_DIRS)
    for entry in entries:
        folder = entry[1] if isinstance(entry, list | tuple) else entry
        served[folder] = "STATICFILES_DIRS"
    for folder, name in served.items():
        if folder and media.is_relative_to(Path(folder).resolve()):
            yield checks.Error(
                f"MEDIA_ROOT, {media}, lies in {name}: everyone could read what people upload.",
                hint="Set MEDIA_ROOT to a folder that nothing serves.",
                id="liveops.E024",
            )
