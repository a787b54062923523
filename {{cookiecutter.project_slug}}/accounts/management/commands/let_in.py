from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.sign_in import forget_failures
from liveops.audit import note


class Command(BaseCommand):
    help = "Lets people sign in again at once who failed to too often; the admin can do the same."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        users = {name: User.objects.filter(username=name).first() for name in options["username"]}
        unknown = [repr(name) for name, user in users.items() if user is None]
        if unknown:
            raise CommandError(
                f"There is no user {' and no '.join(unknown)}. Names are written as in the admin; "
                "upper and lower case count."
            )
        for name, user in users.items():
            if user is not None:
                forget_failures(user)
                note("sign-in released", account=user.pk)
                self.stdout.write(f"{name} may sign in again.")
