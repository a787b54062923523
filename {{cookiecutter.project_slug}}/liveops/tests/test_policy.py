"""Who may do what: every kind of user, on the site, a kind and an operation."""

import pytest
from django.contrib.auth.models import AnonymousUser

from liveops.models import LiveOperation
from liveops.policy import Verdict, decide, visible_to
from liveops.tests.make import make_operation, make_user
from tests.kinds.models import Greeting

pytestmark = pytest.mark.django_db

ALLOWED, SIGN_IN = Verdict.ALLOWED, Verdict.SIGN_IN
FORBIDDEN, UNKNOWN = Verdict.FORBIDDEN, Verdict.UNKNOWN


def person(who):
    """`who` as a user, and an operation that this user started, except for "other"."""
    match who:
        case "anonymous":
            return AnonymousUser(), make_operation()
        case "inactive":
            user = make_user("ina", is_active=False)
        case "superuser" | "superuser, other":
            user = make_user("sue", is_superuser=True)
        case "of the site" | "of the kind" | "of both":
            groups = {"of the site": ["site"], "of the kind": ["kind"], "of both": ["site", "kind"]}
            user = make_user("mia", *groups[who])
        case _:
            user = make_user("bob")
    return user, make_operation(make_user() if "other" in who else user)


# The verdicts are on the site, on a kind, and on an operation.
@pytest.mark.parametrize(
    ("site_group", "kind_group", "who", "verdicts"),
    [
        ("", "", "anonymous", (SIGN_IN, SIGN_IN, SIGN_IN)),
        ("", "", "inactive", (SIGN_IN, SIGN_IN, SIGN_IN)),
        ("", "", "owner", (ALLOWED, ALLOWED, ALLOWED)),
        ("", "", "other", (ALLOWED, ALLOWED, UNKNOWN)),
        ("", "", "superuser", (ALLOWED, ALLOWED, ALLOWED)),
        ("", "", "superuser, other", (ALLOWED, ALLOWED, UNKNOWN)),
        ("site", "", "anonymous", (SIGN_IN, SIGN_IN, SIGN_IN)),
        ("site", "", "inactive", (SIGN_IN, SIGN_IN, SIGN_IN)),
        ("site", "", "owner", (FORBIDDEN, FORBIDDEN, FORBIDDEN)),
        ("site", "", "other", (FORBIDDEN, FORBIDDEN, FORBIDDEN)),
        ("site", "", "of the kind", (FORBIDDEN, FORBIDDEN, FORBIDDEN)),
        ("site", "", "of the site", (ALLOWED, ALLOWED, ALLOWED)),
        ("site", "", "superuser", (ALLOWED, ALLOWED, ALLOWED)),
        ("", "kind", "owner", (ALLOWED, FORBIDDEN, FORBIDDEN)),
        ("", "kind", "other", (ALLOWED, FORBIDDEN, UNKNOWN)),
        ("", "kind", "of the site", (ALLOWED, FORBIDDEN, FORBIDDEN)),
        ("", "kind", "of the kind", (ALLOWED, ALLOWED, ALLOWED)),
        ("", "kind", "superuser", (ALLOWED, ALLOWED, ALLOWED)),
        ("", "kind", "superuser, other", (ALLOWED, ALLOWED, UNKNOWN)),
        ("site", "kind", "of the site", (ALLOWED, FORBIDDEN, FORBIDDEN)),
        ("site", "kind", "of the kind", (FORBIDDEN, FORBIDDEN, FORBIDDEN)),
        ("site", "kind", "of both", (ALLOWED, ALLOWED, ALLOWED)),
    ],
)
def test_verdict(settings, monkeypatch, site_group, kind_group, who, verdicts):
    settings.LIVEOPS = {"REQUIRED_GROUP": site_group}
    monkeypatch.setattr(Greeting, "required_group", kind_group)
    user, operation = person(who)
    asked = decide(user), decide(user, kind=Greeting), decide(user, operation=operation)
    assert asked == verdicts


def test_the_owner_of_an_operation_whose_kind_is_gone_may_see_it():
    operation = make_operation()
    LiveOperation.objects.filter(pk=operation.pk).update(kind="shop.gone")
    operation = LiveOperation.objects.get(pk=operation.pk)
    assert decide(operation.owner, operation=operation) is ALLOWED


def test_lists_show_what_may_be_watched(monkeypatch):
    monkeypatch.setattr(Greeting, "required_group", "kind")
    operation = make_operation(make_user("mia", "kind"))
    assert list(visible_to(operation.owner)) == [LiveOperation.objects.get(pk=operation.pk)]
    operation.owner.groups.clear()
    assert not visible_to(operation.owner)


class TestOwnPolicy:
    """`LIVEOPS["POLICY"]` names a subclass, which views, token and lists ask as well."""

    @pytest.fixture(autouse=True)
    def team_policy(self, settings):
        settings.LIVEOPS = {"POLICY": "tests.kinds.policy.TeamPolicy"}

    @pytest.fixture
    def operation(self):
        return make_operation(make_user("ann", "team red"))

    @pytest.mark.parametrize(("team", "status"), [("team red", 200), ("team blue", 404)])
    def test_decides_who_sees_the_page_and_gets_a_token(self, client, operation, team, status):
        client.force_login(make_user("bob", team))
        assert client.get(operation.get_absolute_url()).status_code == status
        assert client.post(f"{operation.get_absolute_url()}token/").status_code == status

    def test_decides_what_lists_show(self, client, operation):
        client.force_login(make_user("bob", "team red"))
        assert str(operation.pk) in client.get("/operations/").text
        client.force_login(make_user("eve", "team blue"))
        assert str(operation.pk) not in client.get("/operations/").text
