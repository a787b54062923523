"""Who may do what: the one rule that views, API, token, websocket and admin actions all ask."""

import functools
from enum import Enum
from typing import Any

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from liveops.conf import conf
from liveops.models import LiveOperation, kind_class, kinds


class Verdict(Enum):
    """The answer, in the order in which the questions are asked."""

    ALLOWED = 200
    # Not signed in, or the account was deactivated.
    SIGN_IN = 401
    # Signed in, but not in the group that is needed.
    FORBIDDEN = 403
    # Somebody else's operation; answered like one that does not exist.
    UNKNOWN = 404


class Policy:
    """The site's rule. `LIVEOPS["POLICY"]` may name a subclass, which has the last word.

    It is asked for every page and API call, when a token is issued, when a socket subscribes, and
    again while the socket is open. A subclass that shows somebody the operations of others extends
    both methods: a list shows what `visible_to` gives, all else asks `decide`.
    """

    def decide(
        self,
        user: Any,
        *,
        operation: LiveOperation | None = None,
        kind: type[LiveOperation] | None = None,
    ) -> Verdict:
        """May `user` use live operations, start this `kind`, or watch and steer this `operation`?

        Without `operation` and `kind` the question is about the site as a whole. Superusers need
        no group, but the operations of others are theirs in the admin only.
        """
        if not user.is_authenticated or not user.is_active:
            return Verdict.SIGN_IN
        if not self.in_group(user, conf.REQUIRED_GROUP):
            return Verdict.FORBIDDEN
        if operation is not None:
            if operation.owner_id != user.pk:
                return Verdict.UNKNOWN
            kind = kind_class(operation.kind)
        if kind is not None and not self.in_group(user, kind.required_group):
            return Verdict.FORBIDDEN
        return Verdict.ALLOWED

    def visible_to(self, user: Any) -> QuerySet[LiveOperation]:
        """The operations that the lists of `user` show: those that `decide` lets them watch."""
        closed = [kind for kind in kinds() if not self.in_group(user, kind.required_group)]
        mine = LiveOperation.objects.filter(owner_id=user.pk)
        return mine.exclude(kind__in=[kind.kind_name() for kind in closed]) if closed else mine

    def in_group(self, user: Any, name: str) -> bool:
        """Superusers are in every group, and everyone is in the group without a name."""
        return not name or user.is_superuser or user.groups.filter(name=name).exists()


def decide(
    user: Any,
    *,
    operation: LiveOperation | None = None,
    kind: type[LiveOperation] | None = None,
) -> Verdict:
    """Ask the site's policy, see `Policy.decide`."""
    return _policy(conf.POLICY).decide(user, operation=operation, kind=kind)


def visible_to(user: Any) -> QuerySet[LiveOperation]:
    """Ask the site's policy, see `Policy.visible_to`."""
    return _policy(conf.POLICY).visible_to(user)


@functools.cache
def _policy(path: str) -> Policy:
    policy: Policy = import_string(path)() if path else Policy()
    return policy
