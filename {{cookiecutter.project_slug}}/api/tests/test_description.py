"""The OpenAPI description and its page; and a site without the API."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from rest_framework.test import APIClient

SITE = Path(__file__).parents[2]


def test_the_description_is_valid(tmp_path: Path) -> None:
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml")
    )


def test_each_kinds_start_is_described_from_its_form(api: APIClient) -> None:
    schema = api.get("/api/schema/").json()
    duplicates = schema["paths"]["/api/kinds/operations.findduplicates/operations/"]["post"]
    body = duplicates["requestBody"]["content"]["application/json"]["schema"]
    threshold = body["properties"]["threshold"]
    assert (threshold["minimum"], threshold["maximum"]) == (70, 100)
    assert "required" not in body
    assert body["additionalProperties"] is False
    imports = schema["paths"]["/api/kinds/operations.importcontacts/operations/"]["post"]
    content = imports["requestBody"]["content"]
    assert list(content) == ["multipart/form-data"]
    assert content["multipart/form-data"]["schema"]["required"] == ["file"]
    assert imports["requestBody"]["required"]
    assert not any("{kind}" in path for path in schema["paths"])


def test_every_address_is_described(api: APIClient) -> None:
    described = set(api.get("/api/schema/").json()["paths"])
    undescribed = {"api/schema/", "api/docs/", "api/"}
    for pattern in get_resolver("api.urls").url_patterns:
        address = re.sub(r"<\w+:(\w+)>", r"{\1}", f"api/{pattern.pattern}")
        if address in undescribed or "{kind}" in address:
            continue
        names = {path.replace("{id}", "{pk}") for path in described}
        assert f"/{address}" in names


def test_the_description_is_for_who_is_signed_in(db: None) -> None:
    assert APIClient().get("/api/schema/").status_code == 401
    page = Client().get("/api/docs/")
    assert (page.status_code, page.headers["Location"]) == (
        302,
        "/accounts/login/?next=/api/docs/",
    )


def test_the_page_shows_every_call_without_a_script(ann: Any, api: APIClient) -> None:
    browser = Client()
    browser.force_login(ann)
    page = browser.get("/api/docs/").content.decode()
    for path in api.get("/api/schema/").json()["paths"]:
        assert path in page
    assert "<script" not in page
    assert "style=" not in page


@pytest.mark.parametrize("command", [["check"], ["makemigrations", "--check", "--dry-run"]])
def test_a_site_without_the_api_lacks_two_lines_and_a_folder(
    tmp_path: Path, command: list[str]
) -> None:
    left_out = shutil.ignore_patterns("api", "var", "__pycache__", ".env")
    site = shutil.copytree(SITE, tmp_path / "site", ignore=left_out)
    removed = 0
    for name in ("config/settings.py", "config/urls.py"):
        lines = (site / name).read_text().splitlines(keepends=True)
        kept = [
            line for line in lines if "from api.settings" not in line and '"api.urls"' not in line
        ]
        removed += len(lines) - len(kept)
        (site / name).write_text("".join(kept))
    assert removed == 2
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=site,
        env={"DEBUG": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
