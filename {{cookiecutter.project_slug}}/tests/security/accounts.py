"""People who sign in with a password."""

import secrets

from django.contrib.auth.models import Group

from accounts.models import User
from tests.people import PASSWORD
from tests.security.stack import SITE_GROUP


def make_account(*, staff: bool = False, superuser: bool = False, active: bool = True) -> User:
    """Somebody in the site's group, whose password is `PASSWORD`."""
    user = User(
        username=f"account-{secrets.token_hex(6)}",
        is_staff=staff,
        is_superuser=superuser,
        is_active=active,
    )
    user.set_password(PASSWORD)
    user.save()
    user.groups.set([Group.objects.get_or_create(name=SITE_GROUP)[0]])
    return user
