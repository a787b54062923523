"""Where uploads and results are kept: in the folder MEDIA_ROOT, or as objects in MEDIA_BUCKET."""

import os
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.variables import is_set_with

BUCKET = "MEDIA_BUCKET"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def storage() -> dict[str, Any]:
    """The entry `default` of STORAGES; raises ImproperlyConfigured for what cannot work.

    The variables that begin with AWS_ are boto3's own, and it reads them itself.
    """
    if not is_set_with(BUCKET, package="storages"):
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    name = os.environ[BUCKET].strip()
    if not BUCKET_NAME.fullmatch(name):
        raise ImproperlyConfigured(
            f"{BUCKET} is {name!r}. Set it to the name of a bucket alone, of 3 to 63 small "
            "letters, digits, hyphens and dots, such as site-media, or leave it out to keep files "
            "in MEDIA_ROOT. Where the bucket is says AWS_ENDPOINT_URL_S3."
        )
    _check_endpoint()
    _check_credentials()
    return {"BACKEND": "config.object_storage.PrivateObjects", "OPTIONS": {"bucket_name": name}}


def _check_endpoint() -> None:
    for variable in ENDPOINTS:
        text = os.environ.get(variable, "").strip()
        if not text:
            # boto3 would take an empty one for an address.
            os.environ.pop(variable, None)
        elif urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
            raise ImproperlyConfigured(
                f"{variable} is {text!r}. Set it to an address such as https://s3.example.org, "
                "or leave it out for Amazon's own."
            )


def _check_credentials() -> None:
    """None at all is right where the machine itself has a role."""
    missing = [name for name in CREDENTIALS if not os.environ.get(name, "").strip()]
    if len(missing) == 1:
        (there,) = set(CREDENTIALS) - set(missing)
        raise ImproperlyConfigured(
            f"{there} is set, and {missing[0]} is not. Set both, or neither where the machine "
            "itself has a role that may use the bucket."
        )
    for name in missing:
        os.environ.pop(name, None)
