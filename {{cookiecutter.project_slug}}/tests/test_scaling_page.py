"""docs/scaling.md names tests, variables, metrics and files that exist, and the true numbers."""

import re

import pytest
import yaml

from liveops import kept_connections
from tests.pgbouncer import CONFIG
from tests.processes import SITE
from tests.security.page import Row, read_rows
from tests.test_kubernetes import CONTAINERS, DOCUMENTED, RESOURCES
from tests.test_observability_page import known
from tests.test_security_page import names_in

PAGE = (SITE / "docs" / "scaling.md").read_text(encoding="utf-8")
ROWS = read_rows(PAGE)
VARIABLE = re.compile(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)(?:=\w+)?`")
# Of the engine, and of one kind of operation.
SETTINGS = {"MAX_RUNNING_PER_USER"}
LINK = re.compile(r"\]\(([^)#]+)(?:#([\w-]+))?\)")
METRIC = re.compile(r"`(liveops_\w+)`")


def block(language: str) -> str:
    (found,) = re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_tests_that_exist(row: Row) -> None:
    assert row.tests, "the last cell names no test"
    for test in row.tests:
        path, _colons, name = test.partition("::")
        assert name in names_in(SITE / path), test


def test_variables_are_documented() -> None:
    names = set(VARIABLE.findall(PAGE)) - SETTINGS
    assert len(names) > 8
    assert names <= DOCUMENTED


def test_secrets_are_variables_of_the_site() -> None:
    names = set(re.findall(r"^ *(\w+)=", block("env"), re.MULTILINE))
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= names <= DOCUMENTED


def test_metrics_exist() -> None:
    names = set(METRIC.findall(PAGE))
    assert names
    assert names <= known()


def test_links_lead_somewhere() -> None:
    for path, anchor in LINK.findall(PAGE):
        file = SITE / "docs" / path
        assert file.is_file(), path
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
        assert not anchor or anchor in anchors, anchor


def test_connections_for_websockets() -> None:
    assert f"keeps {kept_connections.THREADS} for its websockets" in PAGE


def test_the_pool_is_the_one_that_is_tested() -> None:
    assert "pool_mode = transaction" in block("ini")
    assert "pool_mode = transaction" in CONFIG


def test_the_rule_for_workers_asks_for_a_metric_that_there_is() -> None:
    (rule,) = yaml.safe_load(block("yaml"))["rules"]["external"]
    scaler = RESOURCES["HorizontalPodAutoscaler/worker"]["spec"]
    assert rule["name"]["as"] == scaler["metrics"][0]["external"]["metric"]["name"]
    assert rule["seriesQuery"] in known()
    assert rule["seriesQuery"] in rule["metricsQuery"]


def test_what_is_asked_of_the_cluster_is_there() -> None:
    for kind, name in re.findall(r"\b(deploy|job)[ /](\w+)", block_of_commands()):
        assert f"{ {'deploy': 'Deployment', 'job': 'Job'}[kind] }/{name}" in RESOURCES
    assert f"namespace {RESOURCES['Namespace/live-operations']['metadata']['name']}" in PAGE
    assert any(each["image"] == "site" for each in CONTAINERS.values())


def block_of_commands() -> str:
    return "\n".join(line for line in PAGE.splitlines() if "kubectl -n" in line)
