"""Which files a start form takes."""

from pathlib import PurePath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms import ModelForm
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from liveops.conf import conf


class CheckedUploads(ModelForm):
    """Refuses files that are larger, or of another type, than the site allows.

    A kind's own validators may ask for more. They come first, for what they say is more precise.
    """

    def full_clean(self) -> None:
        super().full_clean()
        cleaned: dict[str, Any] = getattr(self, "cleaned_data", {})
        for name, value in list(cleaned.items()):
            # A field for several files gives a list.
            for each in value if isinstance(value, list | tuple) else [value]:
                if isinstance(each, UploadedFile):
                    self.check_upload(name, each)

    def check_upload(self, field: str, upload: UploadedFile) -> None:
        size, limit = upload.size or 0, conf.MAX_UPLOAD
        if size > limit:
            text = _("The file has %(size)s, at most %(limit)s are accepted. Split it.")
            sizes = {"size": filesizeformat(size), "limit": filesizeformat(limit)}
            self.add_error(field, ValidationError(text % sizes, code="too_large"))
        ending = PurePath(upload.name or "").suffix.lower().removeprefix(".")
        if conf.UPLOAD_TYPES and ending not in conf.UPLOAD_TYPES:
            text = _("Files of the type “%(ending)s” are not accepted. Accepted are: %(legal)s.")
            names = {"ending": ending, "legal": ", ".join(sorted(conf.UPLOAD_TYPES))}
            self.add_error(field, ValidationError(text % names, code="wrong_type"))
