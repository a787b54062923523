from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import ModelForm
from django.test import Client
from django.urls import reverse

from accounts.models import User
from operations.export_contacts import ExportContacts, ExportContactsForm
from operations.find_duplicates import FindDuplicates, FindDuplicatesForm
from operations.import_contacts import ImportContacts, ImportContactsForm
from operations.normalise_contacts import NormaliseContacts, NormaliseContactsForm

KINDS = [ImportContacts, FindDuplicates, ExportContacts, NormaliseContacts]
CSV = b"name,email\nAnn,ann@example.com\n"


def import_form(content: bytes = CSV, name: str = "contacts.csv", **data: Any) -> ModelForm:
    files: Any = {"file": SimpleUploadedFile(name, content)}
    return ImportContactsForm(data, files)


def test_a_file_is_all_that_an_import_needs(db: None) -> None:
    form = import_form()
    assert form.is_valid(), form.errors
    operation = form.save(commit=False)
    assert not operation.dry_run
    assert not operation.skip_bad_rows
    assert not operation.find_duplicates_afterwards


@pytest.mark.parametrize("name", ["contacts.csv", "CONTACTS.CSV", "list.tsv", "list.txt"])
def test_text_files_are_accepted(db: None, name: str) -> None:
    assert import_form(name=name).is_valid()


@pytest.mark.parametrize("name", ["contacts.xlsx", "contacts.csv.exe", "contacts"])
def test_other_files_are_refused(db: None, name: str) -> None:
    form = import_form(name=name)
    assert "is not allowed. Allowed extensions are: csv, tsv, txt" in str(form.errors["file"])


def test_an_empty_file_is_refused(db: None) -> None:
    assert "empty" in str(import_form(b"").errors["file"])


def test_a_dry_run_cannot_be_followed_by_a_search(db: None) -> None:
    form = import_form(dry_run="on", find_duplicates_afterwards="on")
    assert "A dry run saves nothing" in str(form.errors["find_duplicates_afterwards"])


def test_an_unknown_encoding_is_refused(db: None) -> None:
    assert "encoding" in import_form(encoding="rot13").errors


@pytest.mark.parametrize(
    ("threshold", "valid"), [(69, False), (70, True), (100, True), (101, False)]
)
def test_likeness_has_limits(db: None, threshold: int, valid: bool) -> None:
    assert FindDuplicatesForm({"threshold": threshold}).is_valid() == valid


@pytest.mark.parametrize(("delimiter", "valid"), [("comma", True), ("tab", True), ("x", False)])
def test_an_export_takes_a_known_delimiter(db: None, delimiter: str, valid: bool) -> None:
    assert ExportContactsForm({"delimiter": delimiter}).is_valid() == valid


@pytest.mark.parametrize(
    ("region", "valid"), [("", True), ("DE", True), ("de", False), ("XX", False)]
)
def test_numbers_belong_to_a_known_country_or_to_none(db: None, region: str, valid: bool) -> None:
    assert NormaliseContactsForm({"region": region}).is_valid() == valid


@pytest.mark.parametrize("kind", KINDS)
def test_each_form_asks_for_exactly_the_fields_of_its_kind(kind: Any) -> None:
    assert list(kind.form_class.base_fields) == kind.input_fields()


@pytest.mark.parametrize("kind", KINDS)
def test_each_start_page_shows_label_and_help_of_every_field(
    client: Client, owner: User, kind: Any
) -> None:
    client.force_login(owner)
    page = client.get(reverse("liveops:start", args=[kind.kind_name()])).content.decode()
    for name in kind.input_fields():
        field = kind._meta.get_field(name)
        assert f'name="{name}"' in page
        assert str(field.verbose_name).capitalize() in page
        assert str(field.help_text) in page


def test_every_field_of_an_import_explains_itself() -> None:
    for name in ImportContacts.input_fields():
        assert getattr(ImportContacts._meta.get_field(name), "help_text", "")


def test_uploads_are_kept_apart_by_operation(upload: Callable[..., ImportContacts]) -> None:
    one, two = upload(CSV), upload(CSV)
    assert one.file.name == f"operations/{one.pk}/1/contacts.csv"
    assert two.file.name == f"operations/{two.pk}/1/contacts.csv"
