"""Create the groups that settings and kinds ask for."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from liveops.conf import conf
from liveops.models import kinds


class Command(BaseCommand):
    help = (
        'Creates the groups that LIVEOPS["REQUIRED_GROUP"] and the kinds\' required_group name, '
        "as far as they are missing, and puts people into them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--add",
            metavar="USERNAME",
            nargs="+",
            default=[],
            help="put these users into the groups",
        )
        parser.add_argument(
            "--group", metavar="NAME", help="only this one of the groups, for --add"
        )

    @transaction.atomic
    def handle(self, *args: Any, add: list[str], group: str | None, **options: Any) -> None:
        names = {conf.REQUIRED_GROUP, *(kind.required_group for kind in kinds())} - {""}
        if not names:
            raise CommandError(
                "No group is asked for: everyone who can sign in may use live operations. To "
                "change that, set LIVEOPS_REQUIRED_GROUP, or required_group of a kind."
            )
        if group is not None and group not in names:
            legal = ", ".join(map(repr, sorted(names)))
            raise CommandError(f"No setting and no kind asks for the group {group!r}, but {legal}.")
        members = self.find_users(add)
        for name in sorted(names if group is None else {group}):
            row, created = Group.objects.get_or_create(name=name)
            row.user_set.add(*members)
            state = "created" if created else "was there"
            self.stdout.write(f"{name!r} {state}, {row.user_set.count()} members")

    def find_users(self, names: list[str]) -> list[Any]:
        users = get_user_model()
        found = users._default_manager.filter(**{f"{users.USERNAME_FIELD}__in": names})
        missing = set(names) - {user.get_username() for user in found}
        if missing:
            shown = ", ".join(map(repr, sorted(missing)))
            raise CommandError(f"There is no user {shown}. Nothing was changed.")
        return list(found)
