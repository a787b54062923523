"""A server that speaks S3, and a stack whose uploads and results are objects there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from tests.databases import Database
from tests.processes import HOST, PYTHON, Process, accepts, free_port
from tests.services import Stack

BUCKET = "site-media"
REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "a-secret-for-tests-only"}


class ObjectStore:
    """Keeps one bucket in memory."""

    def __init__(self, new_process: Callable[[str, list[str]], Process]) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        command = [PYTHON, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]
        self.process = new_process("s3", command)

    @property
    def env(self) -> dict[str, str]:
        """The site's variables."""
        return {
            **KEYS,
            "MEDIA_BUCKET": BUCKET,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_DEFAULT_REGION": REGION,
        }

    def start(self) -> None:
        self.process.start()
        self.process.wait_for(lambda: accepts(self.port), "accepts connections")
        self.client().create_bucket(Bucket=BUCKET)

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Name → content."""
        client = self.client()
        found = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        names = [each["Key"] for each in found]
        return {name: client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}


class ObjectStack(Stack):
    def __init__(self, database: Database, folder: Path, store: ObjectStore) -> None:
        self.store = store
        super().__init__(database, folder)

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **self.store.env}

    @property
    def processes(self) -> list[Process]:
        return [self.store.process, *super().processes]

    def start(self) -> None:
        self.store.start()
        super().start()
