"""The permission class asks the policy, whatever kind of object it is given."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import override_settings
from rest_framework.exceptions import NotAuthenticated, NotFound, PermissionDenied

from api.permissions import AsThePolicySays
from liveops.models import LiveOperation
from liveops.policy import Policy, Verdict
from liveops.tests.make import make_operation
from tests.kinds.models import Greeting


def ask(user: Any, obj: Any) -> bool:
    return AsThePolicySays().has_object_permission(SimpleNamespace(user=user), None, obj)


def test_one_operation(ann: Any, bob: Any) -> None:
    operation = make_operation(ann)
    assert ask(ann, operation)
    with pytest.raises(NotFound):
        ask(bob, operation)
    with pytest.raises(NotAuthenticated):
        ask(AnonymousUser(), operation)


def test_many_operations_need_every_one_of_them(ann: Any, bob: Any) -> None:
    make_operation(ann)
    assert ask(ann, LiveOperation.objects.all())
    assert ask(ann, LiveOperation.objects)
    make_operation(bob)
    for everything in (LiveOperation.objects, LiveOperation.objects.all(), Greeting.objects):
        with pytest.raises(NotFound):
            ask(ann, everything)
    assert ask(ann, LiveOperation.objects.filter(owner=ann))


def test_a_kind(ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(ann, Greeting)
    monkeypatch.setattr(Greeting, "required_group", "greeters")
    with pytest.raises(PermissionDenied):
        ask(ann, Greeting)


@pytest.mark.parametrize("obj", [None, "operation", 7, object(), int, []])
def test_anything_else_is_refused(ann: Any, obj: Any) -> None:
    assert not ask(ann, obj)


class Auditors(Policy):
    """Bob may watch what everyone does."""

    def decide(self, user: Any, *, operation: Any = None, kind: Any = None) -> Verdict:
        if operation is not None and user.username == "bob":
            return Verdict.ALLOWED
        return super().decide(user, operation=operation, kind=kind)

    def visible_to(self, user: Any) -> Any:
        everything = LiveOperation.objects.all()
        return everything if user.username == "bob" else super().visible_to(user)


def test_a_policy_of_the_sites_own_has_the_last_word(ann: Any, bob: Any) -> None:
    operation = make_operation(ann)
    with override_settings(LIVEOPS={"POLICY": f"{__name__}.Auditors"}):
        assert ask(bob, operation)
        assert ask(bob, LiveOperation.objects)
