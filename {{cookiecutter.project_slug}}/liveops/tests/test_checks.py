"""Each system check finds what it is for, and a site as generated is free of findings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.core.checks.registry import registry
from django.test import override_settings

from liveops.models import kinds

REDIS_CACHE = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://"}
PUBSUB_LAYER = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}


@pytest.fixture(autouse=True)
def site_as_in_production() -> Iterator[None]:
    with override_settings(
        DEBUG=False,
        CACHES={"default": REDIS_CACHE},
        CHANNEL_LAYERS={"default": PUBSUB_LAYER},
        ALLOWED_HOSTS=["live.example.org"],
        LIVEOPS={},
    ):
        yield


def found(databases: list[str] | None = None) -> set[str]:
    messages = run_checks(databases=databases)
    return {str(m.id) for m in messages if str(m.id).startswith("liveops.")}


def liveops(**values: Any) -> Any:
    return override_settings(LIVEOPS=values)


def test_the_checks_are_registered() -> None:
    modules = {check.__module__ for check in registry.get_checks()}
    wanted = {"liveops.checks.values", "liveops.checks.services", "liveops.checks.site"}
    assert wanted <= modules, 'LiveopsConfig.ready() has to call autodiscover_modules("checks")'


def test_a_site_as_generated_has_no_findings() -> None:
    assert found() == set()


@pytest.mark.parametrize("value", [None, ["TOKEN_TTL"], "TOKEN_TTL=300"])
def test_e001_liveops_is_no_dictionary(value: Any) -> None:
    with override_settings(LIVEOPS=value):
        assert found() == {"liveops.E001"}


def test_e002_unknown_name_with_the_one_that_was_meant() -> None:
    with liveops(TOKEN_TLL=300):
        message = next(m for m in run_checks() if m.id == "liveops.E002")
        assert "'TOKEN_TTL'" in str(message.hint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN_TTL", "300"),
        ("TOKEN_TTL", True),
        ("TOKEN_TTL", 2.5),
        ("REQUIRED_GROUP", None),
        ("LOST_AFTER", "30"),
        ("ALLOWED_ORIGINS", "https://live.example.org"),
        ("ALLOWED_ORIGINS", [1]),
    ],
)
def test_e003_wrong_type(name: str, value: Any) -> None:
    with liveops(**{name: value}):
        assert found() == {"liveops.E003"}


@pytest.mark.parametrize("value", [0, -1])
def test_e004_number_that_is_not_positive(value: int) -> None:
    with liveops(LOG_TAIL_LINES=value):
        assert found() == {"liveops.E004"}


@pytest.mark.parametrize(("ttl", "ids"), [(4, True), (5, False), (86_400, False), (86_401, True)])
def test_e005_token_lifetime_out_of_range(ttl: int, ids: bool) -> None:
    with liveops(TOKEN_TTL=ttl):
        assert found() == ({"liveops.E005"} if ids else set())


@pytest.mark.parametrize(("every", "wrong"), [(14.9, False), (15, True), (40, True)])
def test_e006_heartbeat_too_slow_for_the_lease(every: float, wrong: bool) -> None:
    with liveops(HEARTBEAT_EVERY=every, LOST_AFTER=30):
        assert found() == ({"liveops.E006"} if wrong else set())


@pytest.mark.parametrize(
    "origin",
    [
        "live.example.org",
        "https://live.example.org/",
        "https://live.example.org/path",
        "https://user@live.example.org",
        "https://live.example.org:port",
        "wss://live.example.org",
        "https://",
        "https://*.example.org",
        "*",
        "null",
        "",
    ],
)
def test_e007_malformed_origin(origin: str) -> None:
    with liveops(ALLOWED_ORIGINS=["https://live.example.org", origin]):
        assert found() == {"liveops.E007"}


def test_origins_that_work_are_accepted() -> None:
    origins = ("https://live.example.org", "http://127.0.0.1:8000", "https://.example.org")
    with liveops(ALLOWED_ORIGINS=origins):
        assert found() == set()


@pytest.mark.parametrize(
    ("days", "wrong"), [(-1, True), (0, False), (1, False), (36_500, False), (36_501, True)]
)
def test_e008_retention_out_of_range(days: int, wrong: bool) -> None:
    with liveops(RETENTION_DAYS=days):
        assert found() == ({"liveops.E008"} if wrong else set())


@pytest.mark.parametrize("layers", [{}, {"default": {}}, {"other": PUBSUB_LAYER}])
def test_e010_no_channel_layer(layers: dict[str, Any]) -> None:
    with override_settings(CHANNEL_LAYERS=layers):
        assert found() == {"liveops.E010"}


def test_e011_channel_layer_within_one_process() -> None:
    layers = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    with override_settings(CHANNEL_LAYERS=layers):
        assert found() == {"liveops.E011"}
        with override_settings(DEBUG=True):
            assert found() == set()


@pytest.mark.parametrize(("version", "wrong"), [("7.4.0", False), ("8.0.0", True), ("10.1", True)])
def test_e012_core_layer_with_a_redis_client_that_cuts_it_off(
    monkeypatch: pytest.MonkeyPatch, version: str, wrong: bool
) -> None:
    monkeypatch.setattr(redis, "__version__", version)
    layers = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}}
    with override_settings(CHANNEL_LAYERS=layers):
        assert found() == ({"liveops.E012"} if wrong else set())


@pytest.mark.parametrize("name", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_e013_cache_of_one_process(name: str) -> None:
    caches = {"default": {"BACKEND": f"django.core.cache.backends.{name}"}}
    with override_settings(CACHES=caches):
        assert found() == {"liveops.E013"}
        with override_settings(DEBUG=True):
            assert found() == set()


@pytest.mark.parametrize("name", ["task_time_limit", "task_soft_time_limit"])
@pytest.mark.parametrize(("limit", "wrong"), [(29, True), (30, False), (None, False)])
def test_e014_time_limit_below_the_lease(
    monkeypatch: pytest.MonkeyPatch, name: str, limit: int | None, wrong: bool
) -> None:
    monkeypatch.setitem(current_app.conf, name, limit)
    assert found() == ({"liveops.E014"} if wrong else set())


def test_w015_messages_acknowledged_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "task_acks_late", True)
    assert found() == {"liveops.W015"}


def test_w016_nothing_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "beat_schedule", {"other": {"task": "other.task"}})
    assert found() == {"liveops.W016"}


@pytest.mark.django_db
def test_w020_group_that_does_not_exist() -> None:
    for kind in kinds():
        Group.objects.get_or_create(name=kind.required_group or "any")
    with liveops(REQUIRED_GROUP="Editors"):
        assert found(["default"]) == {"liveops.W020"}
        Group.objects.create(name="Editors")
        assert found(["default"]) == set()


def sqlite(**options: str) -> Any:
    database = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}
    return override_settings(DATABASES={"default": database})


# Django warns whoever overrides DATABASES; here only the checks look at it.
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_w021_sqlite_without_immediate_transactions() -> None:
    with sqlite(init_command="PRAGMA journal_mode=WAL"):
        assert found() == {"liveops.W021"}


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_w022_sqlite_without_a_write_ahead_log() -> None:
    with sqlite(transaction_mode="IMMEDIATE"):
        assert found() == {"liveops.W022"}


def test_w023_every_host_is_allowed() -> None:
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert found() == {"liveops.W023"}
        with liveops(ALLOWED_ORIGINS=["https://live.example.org"]):
            assert found() == set()


@pytest.mark.parametrize("prefixed", [False, True])
def test_e024_uploads_in_a_folder_that_is_served(tmp_path: Path, prefixed: bool) -> None:
    entry: Any = ("prefix", str(tmp_path)) if prefixed else tmp_path
    with override_settings(MEDIA_ROOT=tmp_path / "media", STATICFILES_DIRS=[entry]):
        assert found() == {"liveops.E024"}
    with override_settings(MEDIA_ROOT=Path(settings.STATIC_ROOT or "") / "media"):
        assert found() == {"liveops.E024"}
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        assert found() == set()


@pytest.mark.parametrize("name", ["MAX_STARTS_PER_MINUTE", "MAX_RUNNING_PER_USER"])
def test_e009_a_limit_below_none(name: str) -> None:
    with liveops(**{name: -1}):
        assert found() == {"liveops.E009"}
    with liveops(**{name: 0}):
        assert found() == set()


@pytest.mark.parametrize("ending", [".csv", "CSV", "", "tar.gz"])
def test_e017_an_upload_type_that_matches_nothing(ending: str) -> None:
    with liveops(UPLOAD_TYPES=("txt", ending)):
        assert found() == {"liveops.E017"}


@pytest.mark.parametrize(
    "path", ["nowhere.Policy", "liveops.policy.Nothing", "liveops.policy.Verdict", "Policy"]
)
def test_e025_a_policy_that_is_none(path: str) -> None:
    with liveops(POLICY=path):
        assert found() == {"liveops.E025"}


def test_a_policy_of_the_sites_own_is_right() -> None:
    with liveops(POLICY="tests.kinds.policy.TeamPolicy"):
        assert found() == set()
