"""Rights that end are said at once to the sockets that live on them.

Only a hint, as all that Redis carries: a socket asks again by itself every REVALIDATE_EVERY.
"""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import receiver

from liveops.hints import REVOCATIONS, tell
from liveops.models import LiveOperation, kinds
from liveops.security import session_digest

User = get_user_model()
# Saved at each sign-in, and of no meaning for what anyone may do.
HARMLESS_FIELDS = {"last_login"}
# Users in one message; a group may have any number of members.
MOST_AT_ONCE = 1_000


def ask_again(user_keys: Iterable[Any]) -> None:
    """Let all sockets of these users be authorised again, once the transaction is committed."""
    tell_sockets_of(user_keys, {"type": "liveop.ask_again"})


def end_session(user_key: Any, session_key: str) -> None:
    """Close the sockets of one session."""
    digest = session_digest(session_key)
    tell_sockets_of([user_key], {"type": "liveop.session_ended", "session": digest})


def revoke_clients(user_key: Any) -> None:
    """Close the sockets of the user's API clients, which need a new token to come back."""
    tell_sockets_of([user_key], {"type": "liveop.clients_revoked"})


def tell_sockets_of(user_keys: Iterable[Any], message: dict[str, Any]) -> None:
    """Tell all web servers, of which each knows who is connected to it."""
    users = [str(key) for key in user_keys]

    def tell_all() -> None:
        for first in range(0, len(users), MOST_AT_ONCE):
            some = users[first : first + MOST_AT_ONCE]
            tell([REVOCATIONS], {**message, "users": some})

    transaction.on_commit(tell_all)


# What ends rights


@receiver(user_logged_out)
def on_logout(request: Any, user: Any, **kwargs: Any) -> None:
    if user is not None and request.session.session_key:
        end_session(user.pk, request.session.session_key)


@receiver(post_delete, sender=Session)
def on_session_deleted(instance: Session, **kwargs: Any) -> None:
    user_key = instance.get_decoded().get(SESSION_KEY)
    if user_key is not None:
        end_session(user_key, instance.session_key)


@receiver(post_save, sender=User)
def on_user_saved(instance: Any, created: bool, update_fields: Any, **kwargs: Any) -> None:
    if not created and not (update_fields and HARMLESS_FIELDS.issuperset(update_fields)):
        ask_again([instance.pk])


@receiver(post_delete, sender=User)
def on_user_deleted(instance: Any, **kwargs: Any) -> None:
    ask_again([instance.pk])


@receiver(m2m_changed, sender=User.groups.through)
def on_groups_changed(
    action: str, instance: Any, reverse: bool, pk_set: set[Any] | None, **kwargs: Any
) -> None:
    """`instance` is a user, or with `reverse` a group whose members `pk_set` are."""
    if action in {"post_add", "post_remove", "post_clear"} and not reverse:
        ask_again([instance.pk])
    elif action in {"post_add", "post_remove"}:
        ask_again(pk_set or ())
    elif action == "pre_clear" and reverse:
        ask_again(_members(instance))


@receiver(post_save, sender=Group)
def on_group_saved(instance: Group, created: bool, **kwargs: Any) -> None:
    """It may have another name."""
    if not created:
        ask_again(_members(instance))


@receiver(pre_delete, sender=Group)
def on_group_deleted(instance: Group, **kwargs: Any) -> None:
    ask_again(_members(instance))


def on_operation_deleted(instance: LiveOperation, origin: Any, **kwargs: Any) -> None:
    """Many that are deleted at once are announced at once."""
    groups = _deleted_by.setdefault(origin, []) if isinstance(origin, QuerySet) else []
    if not groups:
        transaction.on_commit(lambda: tell(groups, {"type": "liveop.changed"}))
    groups.append(instance.get_channel_name())


# Not for every sender: Django would load the rows of every table that it deletes from. The row of
# a kind with a table of its own goes as a plain LiveOperation; a proxy goes under its own name.
rows: list[type[LiveOperation]] = [LiveOperation]
for model in [*rows, *(kind for kind in kinds() if kind._meta.proxy)]:
    post_delete.connect(on_operation_deleted, sender=model)

_deleted_by: WeakKeyDictionary[QuerySet[Any], list[str]] = WeakKeyDictionary()


def _members(group: Any) -> list[Any]:
    return list(group.user_set.values_list("pk", flat=True))
