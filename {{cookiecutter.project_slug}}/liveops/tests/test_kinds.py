"""What a kind says about itself, and how its class is found."""

import pytest

from liveops.models import LiveOperation, kind_class, kinds
from liveops.models.kind import Kind
from liveops.tests.make import make_operation, make_user
from tests.kinds.models import Chatter, Failing, Greeting, Patient

by_title = [Chatter, Failing, Greeting, Patient]


class ImportXMLFile(Kind):
    """Reads a file,
    line by line.

    More than the catalogue needs to say.
    """

    class Meta:
        abstract = True
        app_label = "shop"


class Plain(ImportXMLFile):
    title = "Import <all>"
    description = "Own words."

    class Meta:
        abstract = True
        app_label = "shop"


def test_title_and_description_come_from_the_class():
    assert ImportXMLFile.title == "Import xml file"
    assert ImportXMLFile.description == "Reads a file, line by line."


def test_title_and_description_of_its_own():
    assert (Plain.title, Plain.description) == ("Import <all>", "Own words.")


def test_a_kind_without_docstring_has_no_description():
    class Silent(Plain):
        class Meta:
            abstract = True

    assert (Silent.title, Silent.description) == ("Silent", "")


def test_template_names():
    assert ImportXMLFile.template_stem() == "shop/import_xml_file"
    assert ImportXMLFile.get_host_template_names() == [
        "shop/import_xml_file.html",
        "liveops/operation.html",
    ]
    assert ImportXMLFile.get_result_template_names() == [
        "shop/import_xml_file_result.html",
        "liveops/parts/default_result.html",
    ]


def test_template_names_of_its_own(monkeypatch):
    monkeypatch.setattr(Greeting, "host_template_name", "here.html")
    monkeypatch.setattr(Greeting, "result_template_name", "there.html")
    assert Greeting.get_host_template_names()[0] == "here.html"
    assert Greeting.get_result_template_names()[0] == "there.html"


def test_kinds_are_listed_by_title_without_the_base():
    found = kinds()
    assert [kind for kind in found if kind in by_title] == by_title
    assert LiveOperation not in found


def test_kind_class_finds_what_kind_name_says():
    assert Chatter.kind_name() == "kinds.chatter"
    assert kind_class("kinds.chatter") is Chatter


@pytest.mark.parametrize(
    "name", ["", "nonsense", "a.b.c", "kinds.nobody", "liveops.liveoperation", "accounts.user"]
)
def test_no_kind_has_this_name(name):
    assert kind_class(name) is None


def test_the_form_asks_for_editable_fields_of_the_kind_only():
    assert Chatter.input_fields() == ["lines", "burst", "pause"]
    assert Patient.input_fields() == ["may_end"]
    assert Greeting.input_fields() == []


@pytest.mark.django_db
def test_a_proxy_leaves_the_rows_of_others_out():
    ann = make_user()
    greeting, chatter = make_operation(ann), make_operation(ann, kind=Chatter)
    assert list(Greeting.objects.all()) == [greeting]
    assert list(Chatter.objects.all()) == [chatter]
    assert LiveOperation.objects.count() == 2


@pytest.mark.django_db
def test_the_base_class_shows_the_titles_of_kinds_without_more_queries(django_assert_num_queries):
    ann = make_user()
    make_operation(ann, kind=Chatter)
    make_operation(ann, kind=Greeting)
    with django_assert_num_queries(1):
        rows = {row.title: row for row in LiveOperation.objects.all()}
    assert set(rows) == {"Chatter", "Greeting"}
    assert rows["Chatter"].stages == ["First half", "Second half"]


@pytest.mark.django_db
def test_a_row_of_a_kind_that_is_gone_can_still_be_shown():
    operation = make_operation()
    LiveOperation.objects.filter(pk=operation.pk).update(kind="shop.gone")
    row = LiveOperation.objects.get(pk=operation.pk)
    assert (row.title, row.icon, row.stages) == ("shop.gone", "⚙️", [])
    assert row.as_kind() is row


@pytest.mark.django_db
def test_as_kind_brings_the_fields_of_the_kind():
    operation = make_operation(kind=Chatter, own={"lines": 7})
    chatter = LiveOperation.objects.get(pk=operation.pk).as_kind()
    assert isinstance(chatter, Chatter)
    assert chatter.lines == 7
    assert chatter.as_kind() is chatter


@pytest.mark.django_db
def test_stage_list_has_announced_stages_first_and_others_last():
    done = {"state": "done", "started": 1.0, "seconds": 2.5}
    active = {"state": "active", "started": 3.0, "seconds": None}
    states = {"Unannounced": active, "Second half": done}
    operation = make_operation(kind=Chatter, stage_states=states)
    assert [(stage["name"], stage["state"]) for stage in operation.stage_list] == [
        ("First half", "pending"),
        ("Second half", "done"),
        ("Unannounced", "active"),
    ]


def test_unannounced_stages_come_in_the_order_of_their_beginning():
    """PostgreSQL gives short keys first."""
    states = {
        name: {"state": "done", "started": began, "seconds": 1.0}
        for name, began in [("c", 3.0), ("bb", 2.0), ("aaa", 1.0)]
    }
    names = [stage["name"] for stage in Greeting(stage_states=states).stage_list]
    assert names == ["aaa", "bb", "c"]


def test_a_kind_without_run_says_so():
    with pytest.raises(NotImplementedError, match=r"LiveOperation has no run\(self, p\)"):
        LiveOperation().run(None)
