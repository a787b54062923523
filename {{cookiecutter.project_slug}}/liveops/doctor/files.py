"""Static files and media."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from liveops.doctor.diagnosis import Check, Wrong

NAMED = 3
SHOWN = "everybody gets what is stored there, without being asked who they are"
PRIVATE = "Take the right to read objects away from everybody: block public access to the bucket."


def check_static() -> str:
    if settings.DEBUG:
        return "DEBUG is on, so they are served from where they are written"
    storage: Any = staticfiles_storage
    if not isinstance(storage, ManifestFilesMixin):
        return "they have no manifest, and are served as they are"
    known: dict[str, str] = storage.hashed_files
    if not known:
        raise Wrong(f"there is no {storage.manifest_name}")
    missing = sorted(set(source_files()) - set(known))
    if missing:
        more = f" and {len(missing) - NAMED} more" if missing[NAMED:] else ""
        raise Wrong(f"not collected: {', '.join(missing[:NAMED])}{more}")
    lost = sorted(name for name in known.values() if not staticfiles_storage.exists(name))
    if lost:
        raise Wrong(f"the manifest names files that are not there, such as {lost[0]}")
    return f"{len(known)} files are collected"


def source_files() -> Iterator[str]:
    """The paths that `collectstatic` would write."""
    for finder in get_finders():
        for path, storage in finder.list([]):
            prefix = getattr(storage, "prefix", None)
            yield PurePath(prefix or "", path).as_posix()


def check_media() -> str:
    word = secrets.token_hex(8)
    name = default_storage.save(f"doctor-{word}.txt", ContentFile(word))
    try:
        with default_storage.open(name) as file:
            read = file.read().decode()
        is_public: Callable[[str], bool] | None = getattr(default_storage, "is_public", None)
        shown = is_public(name) if is_public else False
    finally:
        default_storage.delete(name)
    if read != word:
        raise Wrong("a file that was written reads differently")
    if shown:
        raise Wrong(SHOWN, PRIVATE)
    return f"{media_place()}: a file was written, read and deleted"


def media_place() -> str:
    """A folder, or what another storage says of itself."""
    in_folder = isinstance(default_storage, FileSystemStorage)
    return str(settings.MEDIA_ROOT) if in_folder else str(default_storage)


CHECKS = (
    Check(
        name="Static files",
        examine=check_static,
        where=lambda: str(settings.STATIC_ROOT),
        mend="Run `python manage.py collectstatic --noinput`, and start the web server again.",
    ),
    Check(
        name="Media",
        examine=check_media,
        where=media_place,
        mend="A folder: give the site's user the right to write there and make room on the disk, "
        "or set MEDIA_ROOT to another one, the same for all web servers and workers. A bucket: "
        "correct MEDIA_BUCKET, AWS_ENDPOINT_URL_S3, AWS_DEFAULT_REGION or the credentials, which "
        "have to be allowed to put, get and delete objects.",
    ),
)
