"""Who may do what: the one rule that views, token, websocket and admin actions all ask."""

from enum import Enum
from typing import Any

from liveops.conf import conf
from liveops.models import LiveOperation, kind_class


class Verdict(Enum):
    """The answer, in the order in which the questions are asked."""

    ALLOWED = 200
    # Not signed in, or the account was deactivated.
    SIGN_IN = 401
    # Signed in, but not in the group that is needed.
    FORBIDDEN = 403
    # Somebody else's operation; answered like one that does not exist.
    UNKNOWN = 404


def decide(
    user: Any,
    *,
    operation: LiveOperation | None = None,
    kind: type[LiveOperation] | None = None,
) -> Verdict:
    """May `user` use live operations, start this `kind`, or watch and steer this `operation`?

    Without `operation` and `kind` the question is about the site as a whole. Superusers need no
    group, but the operations of others are theirs in the admin only.
    """
    if not user.is_authenticated or not user.is_active:
        return Verdict.SIGN_IN
    if not _in_group(user, conf.REQUIRED_GROUP):
        return Verdict.FORBIDDEN
    if operation is not None:
        if operation.owner_id != user.pk:
            return Verdict.UNKNOWN
        kind = kind_class(operation.kind)
    if kind is not None and not _in_group(user, kind.required_group):
        return Verdict.FORBIDDEN
    return Verdict.ALLOWED


def _in_group(user: Any, name: str) -> bool:
    return not name or user.is_superuser or user.groups.filter(name=name).exists()
