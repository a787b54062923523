"""`manage.py create_groups`: the groups that are asked for, and people in them."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from liveops.models import kinds
from liveops.tests.make import make_user
from tests.kinds.models import Greeting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_groups(settings, monkeypatch):
    settings.LIVEOPS = {"REQUIRED_GROUP": "Crew"}
    for kind in kinds():
        monkeypatch.setattr(kind, "required_group", "")
    monkeypatch.setattr(Greeting, "required_group", "Büro & <Co> 'x'")


def run(*arguments):
    out = StringIO()
    call_command("create_groups", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_makes_the_groups_that_settings_and_kinds_name():
    assert run() == ["\"Büro & <Co> 'x'\" created, 0 members", "'Crew' created, 0 members"]
    assert run()[1] == "'Crew' was there, 0 members"
    assert Group.objects.count() == 2


def test_puts_people_into_all_of_them_or_into_one():
    ann, bob = make_user(), make_user("bob")
    run("--add", "ann")
    run("--group", "Crew", "--add", "bob")
    assert ann.groups.count() == 2
    assert [group.name for group in bob.groups.all()] == ["Crew"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--add", "ann", "nobody"], "There is no user 'nobody'. Nothing was changed."),
        (["--group", "Crow"], "asks for the group 'Crow', but"),
    ],
)
def test_a_wrong_name_changes_nothing(arguments, text):
    make_user()
    with pytest.raises(CommandError, match=text):
        run(*arguments)
    assert not Group.objects.exists()


def test_without_any_group_it_says_how_to_ask_for_one(settings, monkeypatch):
    settings.LIVEOPS = {}
    monkeypatch.setattr(Greeting, "required_group", "")
    with pytest.raises(CommandError, match="LIVEOPS_REQUIRED_GROUP"):
        run()
