"""A policy as a site may write one."""

from typing import Any

from django.db.models import Q, QuerySet

from liveops.models import LiveOperation
from liveops.policy import Policy, Verdict


class TeamPolicy(Policy):
    """Whoever shares a group named `team …` with the owner may do what the owner may."""

    def decide(self, user: Any, *, operation: Any = None, kind: Any = None) -> Verdict:
        verdict = super().decide(user, operation=operation, kind=kind)
        if verdict is Verdict.UNKNOWN and self._teams(user).filter(user=operation.owner).exists():
            return Verdict.ALLOWED
        return verdict

    def visible_to(self, user: Any) -> QuerySet[LiveOperation]:
        mine_or_ours = Q(owner=user) | Q(owner__groups__in=self._teams(user))
        return LiveOperation.objects.filter(mine_or_ours).distinct()

    def _teams(self, user: Any) -> QuerySet[Any]:
        groups: QuerySet[Any] = user.groups.filter(name__startswith="team ")
        return groups
