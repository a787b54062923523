"""Deletes old operations, as Celery beat does once an hour."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from liveops.checks.values import LONGEST_RETENTION
from liveops.conf import conf
from liveops.models import kind_class
from liveops.retention import BATCH, Tally, expired, purge, survey

LARGEST_BATCH = 5_000


def days(text: str) -> int:
    return _between(text, 1, LONGEST_RETENTION, "days")


def batch_size(text: str) -> int:
    return _between(text, 1, LARGEST_BATCH, "operations")


def _between(text: str, least: int, most: int, unit: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise ArgumentTypeError(f"{text!r} is not a number of {unit} from {least} to {most}")
    return number


class Command(BaseCommand):
    help = (
        'Delete finished operations that are older than LIVEOPS["RETENTION_DAYS"] days, with '
        "their logs and files. Those that wait or run are never deleted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be deleted, and delete nothing"
        )
        parser.add_argument(
            "--older-than", type=days, metavar="DAYS", help="instead of the setting's days"
        )
        parser.add_argument(
            "--batch",
            type=batch_size,
            default=BATCH,
            metavar="N",
            help=f"operations deleted in one transaction (default: {BATCH})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        age = options["older_than"] or conf.RETENTION_DAYS
        if not age:
            self.stdout.write(
                'Nothing is deleted: LIVEOPS["RETENTION_DAYS"] is 0, which keeps operations for '
                "ever. To delete some all the same, name an age: --older-than 90"
            )
            return
        old = expired(age)
        if options["dry_run"]:
            self._say("Would delete", survey(old), age)
            return
        tally = Tally()
        try:
            for part in purge(old, options["batch"]):
                tally.add(part)
        finally:
            self._say("Deleted", tally, age)

    def _say(self, verb: str, tally: Tally, age: int) -> None:
        for kind, count in sorted(tally.operations.items()):
            model = kind_class(kind)
            title = f"{model.title} ({kind})" if model else f"{kind}, a kind that is gone"
            self.stdout.write(f"  {count:>9,}  {title}")
        self.stdout.write(
            f"{verb} {tally.operations.total():,} operations that ended more than {age} days ago, "
            f"{tally.log_lines:,} log lines, {tally.files:,} files."
        )
        if tally.kept:
            self.stderr.write(
                f"{tally.kept:,} operations could not be deleted; the log above says why."
            )
