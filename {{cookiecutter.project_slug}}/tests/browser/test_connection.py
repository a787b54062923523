"""How the element connects, authenticates, comes back, and knows when not to."""

import json
import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scripted import ScriptedServer

BACKOFF_CAP = 30


def element(page: Page):
    return page.locator("live-operation")


def test_the_first_message_subscribes_with_the_page_s_token_and_position(
    page: Page, server: ScriptedServer, complaints: list[str]
) -> None:
    server.operation |= {"attempt": 3, "seq": 812}
    page.goto(server.url)
    socket = server.socket()
    assert socket.accept() == {
        "type": "subscribe",
        "token": "page-token",
        "after": {"attempt": 3, "seq": 812},
    }
    expect(element(page)).to_have_attribute("freshness", "live")
    expect(page.locator("[data-liveop-connection]")).to_have_text("Live")
    assert server.tokens_asked == []
    assert page.locator("[data-liveop-token]").count() == 0
    assert complaints == []


def test_a_lost_connection_comes_back_with_a_fresh_token_at_the_last_position(
    page: Page, server: ScriptedServer
) -> None:
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.frame(5)
    expect(element(page)).to_have_attribute("data-liveop-seq", "5")
    socket.close(1012)
    assert server.socket().accept() == {
        "type": "subscribe",
        "token": "fresh-token",
        "after": {"attempt": 1, "seq": 5},
    }
    expect(element(page)).to_have_attribute("freshness", "live")
    assert server.tokens_asked[0]["X-CSRFToken"] == "csrf-of-the-page"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (4403, "You may not watch this operation any more"),
        (4404, "This operation does not exist any more"),
        (4401, "Sign in again to go on watching"),
    ],
)
def test_a_refusal_is_final(page: Page, server: ScriptedServer, code: int, words: str) -> None:
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    expect(element(page)).to_have_attribute("freshness", "live")
    socket.close(code)
    expect(element(page)).to_have_attribute("freshness", "stopped")
    expect(page.locator("[data-liveop-connection]")).to_have_text(words)
    expect(page.locator("[data-liveop-announce]")).to_have_text(words)
    server.no_socket(within=1.5)
    assert server.tokens_asked == []


def test_a_used_token_of_the_page_is_replaced_once(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    socket = server.socket()
    socket.receive()
    socket.close(4401)
    second = server.socket()
    assert second.receive()["token"] == "fresh-token"
    second.close(4401)
    expect(element(page)).to_have_attribute("freshness", "stopped")
    server.no_socket(within=1)


def test_an_expired_token_is_replaced_at_once_but_not_in_a_tight_loop(
    page: Page, server: ScriptedServer
) -> None:
    page.goto(server.url)
    end = time.monotonic() + 4
    tries = 0
    while time.monotonic() < end:
        try:
            socket = server.socket(within=0.5)
        except AssertionError:
            continue
        tries += 1
        socket.receive()
        socket.close(4410)
    assert 2 <= tries <= 12
    assert len(server.tokens_asked) >= tries - 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, "application/json", "{}"), "You may not watch this operation any more"),
        ((404, "application/json", "{}"), "This operation does not exist any more"),
        ((401, "application/json", "{}"), "Sign in again to go on watching"),
        ((403, "text/html", "CSRF"), "Reload this page to go on watching"),
    ],
)
def test_a_refused_token_is_final(
    page: Page, server: ScriptedServer, answer: tuple[int, str, str], words: str
) -> None:
    server.token_answer = answer
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.close(1012)
    expect(element(page)).to_have_attribute("freshness", "stopped")
    expect(page.locator("[data-liveop-connection]")).to_have_text(words)
    server.no_socket(within=1)
    assert len(server.tokens_asked) == 1


def test_a_busy_token_address_is_asked_again(page: Page, server: ScriptedServer) -> None:
    server.token_answer = (503, "application/json", "{}")
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.close(1012)
    expect(element(page)).to_have_attribute("freshness", "reconnecting")
    page.wait_for_timeout(1000)
    server.token_answer = (200, "application/json", '{"token": "late-token"}')
    assert server.socket(within=10).receive()["token"] == "late-token"


def test_backoff_is_full_jitter_and_capped(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    delays = page.evaluate(
        """async () => {
          const { backoff } = await import("/static/liveops/connection.js");
          return [0, 1, 2, 3, 10, 100].map(
            (failures) => Array.from({ length: 400 }, () => backoff(failures) / 1000));
        }"""
    )
    for limit, sample in zip([0.5, 1, 2, 4, BACKOFF_CAP, BACKOFF_CAP], delays, strict=True):
        assert max(sample) <= limit
        assert max(sample) > 0.9 * limit
        assert min(sample) < 0.1 * limit


def test_refused_connections_are_tried_ever_more_rarely(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    end = time.monotonic() + 6
    tries = 0
    while time.monotonic() < end:
        try:
            socket = server.socket(within=0.5)
        except AssertionError:
            continue
        tries += 1
        socket.accept()
        socket.close(1013)
    # Being let in is not enough to start over with short delays: it has to last a while.
    assert 2 <= tries <= 14


def test_one_can_try_at_once(page: Page, server: ScriptedServer) -> None:
    server.token_answer = (503, "application/json", "{}")
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    button = page.get_by_role("button", name="Try now")
    expect(button).to_be_hidden()
    socket.close(1012)
    expect(page.locator("[data-liveop-connection]")).to_have_text(
        re.compile(r"Reconnecting in \d+ s"), timeout=15_000
    )
    asked = len(server.tokens_asked)
    server.token_answer = (200, "application/json", '{"token": "asked-for"}')
    button.click()
    assert server.socket().accept()["token"] == "asked-for"
    assert len(server.tokens_asked) <= asked + 2
    expect(button).to_be_hidden()


def test_another_protocol_asks_for_a_reload(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    socket = server.socket()
    socket.receive()
    socket.send(type="authentication", status="ok", protocol=2)
    expect(element(page)).to_have_attribute("freshness", "stopped")
    server.no_socket(within=1.5)
    page.evaluate("window.old = true")
    page.get_by_role("button", name="Reload this page").click()
    server.socket().accept()
    expect(element(page)).to_have_attribute("freshness", "live")
    assert page.evaluate("window.old") is None


def test_offline_says_so_and_online_comes_back_at_once(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.frame(7)
    expect(element(page)).to_have_attribute("data-liveop-seq", "7")
    page.context.set_offline(True)
    expect(element(page)).to_have_attribute("freshness", "offline")
    expect(page.locator("[data-liveop-connection]")).to_have_text(
        "Offline. What you miss will follow."
    )
    page.wait_for_timeout(2500)
    page.context.set_offline(False)
    assert server.socket().accept()["after"] == {"attempt": 1, "seq": 7}
    expect(element(page)).to_have_attribute("freshness", "live")


def test_acknowledges_the_newest_frame_at_most_twice_a_second(
    page: Page, server: ScriptedServer
) -> None:
    page.clock.install()
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    for seq in range(1, 21):
        socket.frame(seq)
    expect(element(page)).to_have_attribute("data-liveop-seq", "20")
    socket.receive_nothing(within=0.3)
    page.clock.run_for(500)
    assert socket.receive() == {"type": "ack", "attempt": 1, "seq": 20}
    page.clock.run_for(2_000)
    socket.receive_nothing(within=0.3)


def test_acknowledges_at_once_after_64_kib(page: Page, server: ScriptedServer) -> None:
    page.clock.install()
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.frame(1, parts={"status": "x" * 70_000})
    assert socket.receive() == {"type": "ack", "attempt": 1, "seq": 1}


def test_silence_and_a_silent_worker_are_told(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.frame(1)
    words = page.locator("[data-liveop-connection]")
    socket.heartbeat(1, age=0.4)
    expect(words).to_have_text("Live")
    socket.heartbeat(1, age=12.2)
    expect(words).to_have_text(re.compile(r"Stale for 1\d s"))
    expect(element(page)).to_have_attribute("freshness", "stale")
    socket.heartbeat(1, age=31)
    expect(words).to_have_text(re.compile(r"No sign of life from the worker for 3\d s"))
    expect(element(page)).to_have_attribute("freshness", "worker-lost")
    socket.heartbeat(9, age=0)
    expect(element(page)).to_have_attribute("freshness", "catching-up")
    socket.frame(9)
    expect(element(page)).to_have_attribute("freshness", "live")


def test_a_connection_that_died_in_silence_is_replaced(page: Page, server: ScriptedServer) -> None:
    page.clock.install()
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.frame(1)
    expect(element(page)).to_have_attribute("data-liveop-seq", "1")
    page.clock.run_for(12_000)
    expect(page.locator("[data-liveop-connection]")).to_have_text(re.compile(r"Stale for 1\d s"))
    page.clock.run_for(15_000)
    socket.wait_closed()
    page.clock.run_for(1_000)
    assert server.socket().accept()["token"] == "fresh-token"


def test_removing_the_element_closes_everything(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    expect(element(page)).to_have_attribute("freshness", "live")
    page.evaluate("window.kept = document.querySelector('live-operation'); kept.remove()")
    socket.wait_closed()
    server.no_socket(within=1.5)
    assert page.title() == "Greeting"
    page.evaluate("document.querySelector('main').append(window.kept)")
    assert server.socket().accept()["token"] == "fresh-token"
    expect(element(page)).to_have_attribute("freshness", "live")


def test_leaving_closes_and_the_back_button_reconnects(
    launch_browser, browser_type_launch_args, server: ScriptedServer
) -> None:
    # Playwright switches the back-forward cache off; this test is about it.
    browser = launch_browser(ignore_default_args=["--disable-back-forward-cache"])
    page = browser.new_page()
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.frame(3)
    expect(page.locator("live-operation")).to_have_attribute("data-liveop-seq", "3")
    page.evaluate("window.sameDocument = true")
    page.goto(f"{server.url}elsewhere")
    socket.wait_closed()
    page.go_back(wait_until="commit")
    subscription = server.socket().accept()
    assert page.evaluate("window.sameDocument") is True, "the page came from the cache"
    assert subscription["token"] == "fresh-token"
    assert subscription["after"] == {"attempt": 1, "seq": 3}
    expect(page.locator("live-operation")).to_have_attribute("freshness", "live")
    assert json.dumps(server.tokens_asked).count("csrf-of-the-page") == 1
    browser.close()
