"""Uploads and results as private objects in a bucket that speaks S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

# Seconds, for each of the attempts; a page waits for it.
CONNECT_WITHIN = 3
ANSWER_WITHIN = 20
ATTEMPTS = 3
# What is read of an object in one piece is kept in memory up to so many bytes, then on disk.
IN_MEMORY = 1024 * 1024


class PrivateObjects(S3Storage):
    """Nobody gets an object by its address: downloads go through a view that asks who is asking.

    Raises OSError for whatever goes wrong, as a folder would.
    """

    def get_default_settings(self) -> dict[str, Any]:
        client = Config(
            connect_timeout=CONNECT_WITHIN,
            read_timeout=ANSWER_WITHIN,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            signature_version="s3v4",
        )
        return {
            **super().get_default_settings(),
            "client_config": client,
            "file_overwrite": False,
            "max_memory_size": IN_MEMORY,
        }

    @cached_property
    def connection(self) -> Any:
        """One for all threads: to make one takes a tenth of a second, and requests have a thread
        each.
        """
        return S3Storage.connection.fget(self)

    def __str__(self) -> str:
        return f"bucket {self.bucket_name} at {self.connection.meta.client.meta.endpoint_url}"

    def stream(self, name: str) -> IO[bytes]:
        """The object, to be read once from beginning to end while it comes."""
        with self._as_oserror():
            key = self._normalize_name(name)
            client = self.connection.meta.client
            body: IO[bytes] = client.get_object(Bucket=self.bucket_name, Key=key)["Body"]
            return body

    def is_public(self, name: str) -> bool:
        """Whether anybody gets this object who knows its address."""
        client = self.unsigned_connection.meta.client
        try:
            found = client.get_object(Bucket=self.bucket_name, Key=self._normalize_name(name))
        except ClientError:
            return False
        found["Body"].close()
        return True

    def _open(self, name: str, mode: str = "rb") -> File:
        with self._as_oserror():
            return super()._open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        with self._as_oserror():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with self._as_oserror():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with self._as_oserror():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with self._as_oserror():
            return int(super().size(name))

    @contextmanager
    def _as_oserror(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise OSError(f"{self}: {error}") from error
