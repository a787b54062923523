"""How operations are started: how often, and with which files."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.validators import FileExtensionValidator
from django.db.models import F
from django.utils.datastructures import MultiValueDict

from liveops.models import LiveOperation
from liveops.starting import TooManyStarts, form_class_for, start
from liveops.tests.make import at_once, make_operation, make_user
from tests.kinds.models import Chatter, Greeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return make_user()


def begin(user, **keys):
    form = form_class_for(Greeting)({})
    assert form.is_valid()
    return start(form, by=user, **keys)


def test_what_the_form_says_is_started(ann, sent, django_capture_on_commit_callbacks):
    form = form_class_for(Chatter)({"lines": 5, "burst": 1, "pause": 0})
    with django_capture_on_commit_callbacks(execute=True):
        operation = start(form, by=ann)
    assert isinstance(operation, Chatter)
    assert (operation.owner, operation.lines, operation.state) == (ann, 5, "QUEUED")
    assert sent == [(str(operation.pk), 1)]


def test_the_same_key_gives_the_same_operation(ann, sent):
    key = uuid.uuid4()
    first, second = begin(ann, form_key=key), begin(ann, form_key=key)
    assert first.pk == second.pk
    assert begin(make_user("bob"), form_key=key).pk != first.pk


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_gives_one_operation(ann, sent):
    key = uuid.uuid4()
    started = at_once(4, lambda: begin(ann, form_key=key).pk)
    assert len(set(started)) == LiveOperation.objects.count() == 1


class TestRate:
    @pytest.fixture(autouse=True)
    def three_a_minute(self, settings, sent):
        settings.LIVEOPS = {"MAX_STARTS_PER_MINUTE": 3}

    def test_more_are_refused_until_a_minute_has_passed(self, ann):
        for _ in range(3):
            begin(ann)
        with pytest.raises(TooManyStarts) as refused:
            begin(ann)
        assert 55 <= refused.value.retry_after <= 61
        LiveOperation.objects.update(created_at=F("created_at") - timedelta(seconds=61))
        begin(ann)

    def test_each_user_has_a_rate_of_their_own(self, ann):
        for _ in range(3):
            begin(ann)
        begin(make_user("bob"))

    def test_a_form_that_comes_again_is_not_counted(self, ann):
        keys = [uuid.uuid4() for _ in range(3)]
        for key in keys:
            begin(ann, form_key=key)
        assert begin(ann, form_key=keys[0]).form_key == keys[0]

    def test_none_means_no_limit(self, ann, settings):
        settings.LIVEOPS = {"MAX_STARTS_PER_MINUTE": 0}
        for _ in range(40):
            begin(ann)

    def test_the_page_says_so_and_keeps_what_was_filled_in(self, ann, client):
        client.force_login(ann)
        for _ in range(3):
            make_operation(ann)
        response = client.post("/start/kinds.chatter/", {"lines": 77, "burst": 1, "pause": 0})
        assert response.status_code == 429
        assert 55 <= int(response["Retry-After"]) <= 61
        assert "started 3 operations within a minute" in response.text
        assert 'value="77"' in response.text
        assert LiveOperation.objects.count() == 3


class WithAttachment(forms.ModelForm):
    attachment = forms.FileField(required=False)

    class Meta:
        model = Greeting
        fields: list[str] = []


class TestUploads:
    @pytest.fixture(autouse=True)
    def with_attachment(self, monkeypatch):
        monkeypatch.setattr(Greeting, "form_class", WithAttachment)

    def check(self, name, content=b"x"):
        files: MultiValueDict[str, Any] = MultiValueDict(
            {"attachment": [SimpleUploadedFile(name, content)]}
        )
        form = form_class_for(Greeting)({}, files)
        return " ".join(map(str, form.errors.get("attachment", [])))

    def test_of_a_usual_type_and_size_are_taken(self):
        assert self.check("a.csv") == ""

    @pytest.mark.parametrize("name", ["a.html", "a.svg", "a.csv.exe", "a.js", "a", "a.", ".csv"])
    def test_other_types_are_refused(self, name):
        assert "Accepted are: csv, docx" in self.check(name)

    def test_any_type_where_the_site_says_so(self, settings):
        settings.LIVEOPS = {"UPLOAD_TYPES": ()}
        assert self.check("a.exe") == ""

    def test_larger_ones_are_refused_with_both_sizes(self, settings):
        settings.LIVEOPS = {"MAX_UPLOAD": 1024}
        assert self.check("a.csv", b"x" * 1024) == ""
        text = self.check("a.csv", b"x" * 2048)
        assert "2.0\xa0KB, at most 1.0\xa0KB are accepted" in text

    def test_what_the_kind_itself_says_comes_first(self, monkeypatch):
        class Narrow(WithAttachment):
            attachment = forms.FileField(validators=[FileExtensionValidator(["txt"])])

        monkeypatch.setattr(Greeting, "form_class", Narrow)
        assert "Allowed extensions are: txt." in self.check("a.html")
        assert self.check("a.txt") == ""
