"""Fixtures: somebody with an address book, and a private folder for files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.models import User
from liveops.models import LiveOperation
from liveops.testing import RecordingProgress
from operations.contacts import Contact
from operations.import_contacts import ImportContacts


@pytest.fixture(autouse=True)
def media_root(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger")


@pytest.fixture
def upload(owner: User) -> Callable[..., ImportContacts]:
    """Makes a saved import of a file with this content."""

    def make(content: str | bytes, name: str = "contacts.csv", **options: Any) -> ImportContacts:
        raw = content.encode() if isinstance(content, str) else content
        operation = ImportContacts(owner=options.pop("owner", owner), **options)
        operation.file.save(name, ContentFile(raw), save=False)
        operation.save()
        return operation

    return make


@pytest.fixture
def run() -> Callable[[LiveOperation], RecordingProgress]:
    """Runs an operation and returns what it reported."""

    def run_it(operation: LiveOperation) -> RecordingProgress:
        p = RecordingProgress(operation)
        operation.run(p)
        return p

    return run_it


@pytest.fixture
def add(owner: User) -> Callable[..., Contact]:
    """Puts a contact into the address book."""

    def make(name: str, email: str, **values: Any) -> Contact:
        values.setdefault("owner", owner)
        return Contact.objects.create(name=name, email=email, **values)

    return make
