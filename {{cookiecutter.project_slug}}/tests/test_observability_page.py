"""docs/observability.md has every metric, and names tests that exist; alerts.yml knows metrics."""

import re

import pytest
import yaml
from prometheus_client import REGISTRY

from liveops import metrics
from tests.processes import SITE
from tests.security.page import Row, read_rows
from tests.test_security_page import names_in

PAGE = (SITE / "docs" / "observability.md").read_text(encoding="utf-8")
RULES = (SITE / "docs" / "alerts.yml").read_text(encoding="utf-8")
ROWS = read_rows(PAGE)
METRIC = re.compile(r"\bliveops_\w+")
SUFFIX = re.compile(r"_(bucket|count|sum)$")


def known() -> set[str]:
    """The names under which Prometheus knows what `liveops.metrics` names."""
    readings = {each.name for each in vars(metrics).values() if isinstance(each, metrics.Reading)}
    families = [family for family in REGISTRY.collect() if family.name.startswith("liveops_")]
    counters = {f"{each.name}_total" for each in families if each.type == "counter"}
    return readings | counters | {each.name for each in families if each.type != "counter"}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_tests_that_exist(row: Row) -> None:
    assert row.tests, "the last cell names no test"
    for test in row.tests:
        path, _colons, name = test.partition("::")
        assert name in names_in(SITE / path), test


def test_every_metric_is_there_and_no_other() -> None:
    shown = {row.cells[0].strip("`") for row in ROWS if row.cells[0].startswith("`liveops_")}
    assert shown == known()


def test_alerts_ask_for_metrics_that_there_are() -> None:
    (group,) = yaml.safe_load(RULES)["groups"]
    assert len(group["rules"]) > 5
    for rule in group["rules"]:
        asked = {SUFFIX.sub("", name) for name in METRIC.findall(rule["expr"])}
        assert asked <= known(), rule["alert"]
        assert asked or rule["expr"].startswith("up{")


def test_every_metric_has_a_help_text_and_a_unit_by_convention() -> None:
    for family in REGISTRY.collect():
        if family.name.startswith("liveops_"):
            assert family.documentation.endswith(".")
            if family.type in {"histogram", "summary"}:
                assert family.name.endswith(("_seconds", "_bytes"))
