"""A stack whose uploads and results are objects of a server that speaks S3."""

from pathlib import Path
from typing import Any

import boto3

from tests.databases import Database
from tests.processes import HOST, PYTHON, Process, accepts, free_port
from tests.services import Stack

BUCKET = "site-media"
KEYS = {"AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "a-secret-for-tests-only"}


class ObjectStack(Stack):
    def __init__(self, database: Database, folder: Path) -> None:
        self.s3_port = free_port()
        self.s3_url = f"http://{HOST}:{self.s3_port}"
        super().__init__(database, folder)
        command = [PYTHON, "-m", "moto.server", "-H", HOST, "-p", str(self.s3_port)]
        self.s3 = self._process("s3", command)

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            **KEYS,
            "MEDIA_BUCKET": BUCKET,
            "AWS_ENDPOINT_URL_S3": self.s3_url,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def processes(self) -> list[Process]:
        return [self.s3, *super().processes]

    def start(self) -> None:
        self.s3.start()
        self.s3.wait_for(lambda: accepts(self.s3_port), "accepts connections")
        self.client().create_bucket(Bucket=BUCKET)
        super().start()

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.s3_url,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Name → content."""
        client = self.client()
        found = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        names = [each["Key"] for each in found]
        return {name: client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}
