"""What a machine can see of the files that deploy the site without running them."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes import PYTHON, SITE

COMPOSE = SITE / "compose.yaml"
DEVELOPMENT = SITE / "compose.dev.yaml"
CADDYFILE = SITE / "deploy" / "proxy" / "Caddyfile"
SCRIPTS = sorted([*(SITE / "deploy").glob("*.sh"), *(SITE / "tests" / "stack").rglob("*.sh")])
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
DEVELOPMENT_SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(DEVELOPMENT.read_text())[
    "services"
]
BUILT = "${COMPOSE_PROJECT_NAME}-site:current"
# It ends, and then it has worked.
ONE_SHOT = {"migrate"}
PINNED = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?")


def tool(name: str) -> str:
    """A program that requirements/dev.txt brings, beside this Python."""
    return str(Path(PYTHON).with_name(name))


def expect_success(*command: str, **env: str) -> None:
    done = subprocess.run(command, env=env or None, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", [COMPOSE, DEVELOPMENT], ids=lambda file: file.name)
def test_compose_files_fit_the_schema(file: Path) -> None:
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(file)]
    expect_success(*command)


def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    expect_success(tool("hadolint"), "--failure-threshold", "style", str(SITE / "Dockerfile"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    expect_success(tool("shellcheck"), str(script))
    assert script.stat().st_mode & 0o111, "is called by its name"


@pytest.mark.parametrize("domain", ["localhost", "live.example.org"])
def test_caddy_takes_the_caddyfile(tmp_path: Path, domain: str) -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("no Caddy was found, which says whether it takes deploy/proxy/Caddyfile")
    command = [caddy, "validate", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    environment = {
        "DOMAIN_NAME": domain,
        "ADMIN_EMAIL": f"admin@{domain}",
        "LIVEOPS_MAX_UPLOAD_MB": "50",
    }
    expect_success(*command, HOME=str(tmp_path), **environment)


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        image = service["image"]
        assert image == BUILT if "build" in service else PINNED.fullmatch(image), name


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_bounded_and_shut_in(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["healthcheck"] == {"disable": True}
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert "privileged" not in service
    assert ("ports" in service) == (name == "proxy"), "only the proxy can be reached"


def test_what_holds_data_is_out_of_reach() -> None:
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]
    assert networks["data"] == {"internal": True}
    for name in ("postgres", "broker", "cache", "backup"):
        assert SERVICES[name]["networks"] == ["data"]
    assert SERVICES["proxy"]["networks"] == ["front"]


def test_signals_reach_the_site_from_its_first_moment_on() -> None:
    for name in ("web", "worker", "beat", "migrate"):
        assert SERVICES[name]["init"] is True


def test_a_worker_has_longer_than_its_drain() -> None:
    assert SERVICES["worker"]["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    assert SERVICES["worker"]["stop_grace_period"] == "15m"
    script = (SITE / "deploy" / "site.sh").read_text()
    assert "WORKER_ENDS_WITHIN=900\n" in script


def test_the_broker_forgets_nothing_and_shares_with_no_cache() -> None:
    assert "--appendonly yes" in SERVICES["broker"]["command"]
    assert "--maxmemory-policy noeviction" in SERVICES["broker"]["command"]
    environment = SERVICES["web"]["environment"]
    assert "//broker:" in environment["BROKER_URL"]
    assert "//cache:" in environment["REDIS_URL"]


def test_development_is_for_this_machine_alone() -> None:
    for name in ("web", "worker", "beat"):
        assert ".:/app" in DEVELOPMENT_SERVICES[name]["volumes"]
    published = [port for each in DEVELOPMENT_SERVICES.values() for port in each.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
