"""What the element does where no websocket gets through."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scripted import PollAnswer, ScriptedServer, log
from tests.processes import wait_until

BARRED = "Live updates are not getting through; checking every 5 s"


def element(page: Page):
    return page.locator("live-operation")


def words(page: Page):
    return page.locator("[data-liveop-connection]")


def news(seq: int, *, kind: str = "frame", state: str = "RUNNING", **rest: Any) -> dict[str, Any]:
    return {"type": kind, "attempt": 1, "seq": seq, "state": state, **rest}


@pytest.fixture
def barred(page: Page, server: ScriptedServer) -> Page:
    """A page that polls; `advance` lets its time go by at once."""
    server.lets_sockets_through = False
    page.clock.install()
    page.goto(server.url)
    # Much of its time, for what goes over the network takes real time meanwhile.
    advance_until(page, lambda: server.polls, within=40)
    return page


def advance(page: Page, seconds: float) -> None:
    page.clock.run_for(int(seconds * 1000))


def advance_until(page: Page, condition, within: float) -> None:
    """Lets the page's time go on, by half a second each, until the server has seen it."""
    for _ in range(int(within * 2)):
        advance(page, 0.5)
        page.wait_for_timeout(100)
        if condition():
            return
    # It may be on its way still.
    wait_until(condition, f"it comes within {within:g} s of the page's time", within=10)


def next_poll(page: Page, server: ScriptedServer, answer: PollAnswer) -> None:
    """The page asks once more and gets this answer."""
    before = len(server.polls)
    server.polled = answer
    advance_until(page, lambda: len(server.polls) > before, within=8)


def test_a_page_without_websockets_asks_every_few_seconds(
    page: Page, server: ScriptedServer
) -> None:
    server.operation |= {"attempt": 3, "seq": 7}
    server.lets_sockets_through = False
    page.goto(server.url)
    expect(element(page)).to_have_attribute("freshness", "polling")
    expect(words(page)).to_have_text(BARRED)
    expect(page.locator("[data-liveop-announce]")).to_have_text(BARRED)
    assert (server.polls[0].query, server.polls[0].etag) == ("attempt=3&seq=7", '"3-7-RUNNING"')
    assert server.refused >= 2
    server.polled = PollAnswer(
        {"type": "frame", "attempt": 3, "seq": 9, "state": "RUNNING", "log": log(1, 2)}
    )
    expect(page.get_by_text("line 2", exact=True)).to_be_visible()
    expect(element(page)).to_have_attribute("data-liveop-seq", "9")
    server.polled = PollAnswer()
    wait_until(lambda: len(server.polls) > 2, "it asks again")
    last = server.polls[-1]
    assert (last.query, last.etag) == ("attempt=3&seq=9", '"3-9-RUNNING"')
    assert 4.5 < last.at - server.polls[-2].at < 8
    expect(element(page)).to_have_attribute("freshness", "polling")


def test_it_goes_on_trying_and_stops_asking_when_the_websocket_is_back(
    barred: Page, server: ScriptedServer
) -> None:
    next_poll(barred, server, PollAnswer(news(4, log=log(1, 2))))
    expect(element(barred)).to_have_attribute("data-liveop-seq", "4")
    server.lets_sockets_through = True
    advance_until(barred, lambda: not server.sockets.empty(), within=40)
    socket = server.socket()
    assert socket.accept()["after"] == {"attempt": 1, "seq": 4}
    expect(element(barred)).to_have_attribute("freshness", "live")
    asked = len(server.polls)
    # What was fetched already comes once more over the websocket.
    socket.frame(4, log=log(1, 2))
    socket.frame(5, log=log(2, 3))
    expect(element(barred)).to_have_attribute("data-liveop-seq", "5")
    advance(barred, 20)
    barred.wait_for_timeout(300)
    assert barred.locator("[data-line]").all_inner_texts() == [
        f"12:00:00.000 line {number}" for number in (1, 2, 3)
    ]
    assert len(server.polls) == asked


def test_one_failure_is_no_reason_to_ask(page: Page, server: ScriptedServer) -> None:
    page.clock.install()
    page.goto(server.url)
    for _ in range(2):
        failing = server.socket()
        failing.receive()
        failing.close(1013)
        advance_until(page, lambda: not server.sockets.empty(), within=5)
        socket = server.socket()
        socket.accept()
        expect(element(page)).to_have_attribute("freshness", "live")
        socket.close(1012)
        advance_until(page, lambda: not server.sockets.empty(), within=5)
    assert server.polls == []


def test_a_server_that_cannot_let_anybody_in_is_asked(page: Page, server: ScriptedServer) -> None:
    page.goto(server.url)
    for _ in range(2):
        socket = server.socket()
        socket.receive()
        socket.close(1013)
    expect(element(page)).to_have_attribute("freshness", "polling")


def test_a_handshake_that_hangs_tells_as_much_as_two_that_fail(
    page: Page, server: ScriptedServer
) -> None:
    server.answers_handshakes.clear()
    page.clock.install()
    page.goto(server.url)
    expect(element(page)).to_have_attribute("freshness", "connecting")
    assert server.polls == []
    advance_until(page, lambda: server.polls, within=14)
    expect(element(page)).to_have_attribute("freshness", "polling")


def test_silence_of_the_worker_is_told_while_asking(barred: Page, server: ScriptedServer) -> None:
    next_poll(barred, server, PollAnswer(age=4.9))
    expect(words(barred)).to_have_text(BARRED)
    advance(barred, 4)
    expect(element(barred)).to_have_attribute("freshness", "polling")
    next_poll(barred, server, PollAnswer(age=12.2))
    expect(element(barred)).to_have_attribute("freshness", "stale")
    expect(words(barred)).to_have_text(re.compile(r"Stale for 1\d s"))
    next_poll(barred, server, PollAnswer(age=31))
    expect(element(barred)).to_have_attribute("freshness", "worker-lost")
    expect(words(barred)).to_have_text(re.compile("No sign of life from the worker for 3[123] s"))
    lost = news(9, kind="snapshot", state="LOST", log=log(1, 1))
    next_poll(barred, server, PollAnswer(lost, age=36))
    expect(element(barred)).to_have_attribute("state", "LOST")
    expect(words(barred)).to_have_text("Worker lost")
    expect(barred.get_by_role("button", name="Retry")).to_be_visible()
    retried = news(0, kind="snapshot", state="QUEUED", log=log(1, 0)) | {"attempt": 2}
    server.polled = PollAnswer(retried, age=None)
    advance(barred, 31)
    expect(element(barred)).to_have_attribute("state", "QUEUED")
    expect(words(barred)).to_have_text(BARRED)
    expect(barred.locator("[data-line]")).to_have_count(0)


def test_a_page_that_waits_learns_that_it_runs(page: Page, server: ScriptedServer) -> None:
    server.operation |= {"state": "QUEUED"}
    server.lets_sockets_through = False
    page.goto(server.url)
    expect(words(page)).to_have_text(BARRED)
    assert server.polls[0].etag == '"1-0-QUEUED"'
    server.polled = PollAnswer(
        news(0, kind="snapshot", parts={"status": "<p>at work</p>"}, log=log(1, 0))
    )
    expect(element(page)).to_have_attribute("state", "RUNNING")
    expect(page.get_by_text("at work")).to_be_visible()
    wait_until(lambda: server.polls[-1].etag == '"1-0-RUNNING"', "it says what it shows")


def test_what_is_over_is_asked_about_rarely(page: Page, server: ScriptedServer) -> None:
    server.operation |= {"state": "SUCCEEDED", "seq": 5}
    server.lets_sockets_through = False
    page.clock.install()
    page.goto(server.url)
    advance_until(page, lambda: server.polls, within=10)
    expect(words(page)).to_have_text(BARRED.replace("5 s", "30 s"))
    advance(page, 25)
    page.wait_for_timeout(300)
    assert len(server.polls) == 1
    advance_until(page, lambda: len(server.polls) == 2, within=8)


def test_a_hidden_page_does_not_ask(barred: Page, server: ScriptedServer) -> None:
    expect(element(barred)).to_have_attribute("freshness", "polling")
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    barred.evaluate(hide, True)
    asked = len(server.polls)
    advance(barred, 30)
    barred.wait_for_timeout(300)
    assert len(server.polls) == asked
    barred.evaluate(hide, False)
    wait_until(lambda: len(server.polls) == asked + 1, "it asks at once", within=2)
    expect(element(barred)).to_have_attribute("freshness", "polling")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (PollAnswer(status=401), "Sign in again to go on watching"),
        (PollAnswer(status=403), "You may not watch this operation any more"),
        (PollAnswer(status=404), "This operation does not exist any more"),
        (PollAnswer(protocol=2), "Reload this page to go on watching"),
    ],
    ids=["401", "403", "404", "protocol"],
)
def test_a_refused_question_is_final(
    barred: Page, server: ScriptedServer, answer: PollAnswer, text: str
) -> None:
    next_poll(barred, server, answer)
    expect(element(barred)).to_have_attribute("freshness", "stopped")
    expect(words(barred)).to_have_text(text)
    asked = len(server.polls), server.refused
    advance(barred, 60)
    barred.wait_for_timeout(300)
    assert (len(server.polls), server.refused) == asked


@pytest.mark.parametrize(
    "answer", [PollAnswer(status=503), PollAnswer(status=502, kind="text/html")], ids=["503", "502"]
)
def test_what_cannot_be_asked_is_not_said_to_be_checked(
    barred: Page, server: ScriptedServer, answer: PollAnswer
) -> None:
    expect(element(barred)).to_have_attribute("freshness", "polling")
    next_poll(barred, server, answer)
    expect(element(barred)).to_have_attribute("freshness", "reconnecting")
    server.lets_sockets_through = True
    refused = server.refused
    next_poll(barred, server, PollAnswer())
    # The server answers again, so the websocket is tried at once.
    server.socket().accept()
    assert server.refused <= refused + 1
    expect(element(barred)).to_have_attribute("freshness", "live")


def test_a_record_that_is_behind_takes_nothing_back_until_the_end(
    page: Page, server: ScriptedServer
) -> None:
    page.clock.install()
    page.goto(server.url)
    socket = server.socket()
    socket.accept()
    socket.frame(9, log=log(1, 3))
    expect(element(page)).to_have_attribute("data-liveop-seq", "9")
    server.lets_sockets_through = False
    server.polled = PollAnswer(news(4, kind="snapshot", log=log(1, 1)))
    socket.close(1012)
    advance_until(page, lambda: server.polls, within=10)
    expect(element(page)).to_have_attribute("freshness", "polling")
    expect(page.locator("[data-line]")).to_have_count(3)
    next_poll(page, server, PollAnswer(news(5, kind="snapshot", state="LOST", log=log(1, 2))))
    expect(element(page)).to_have_attribute("state", "LOST")
    expect(element(page)).to_have_attribute("data-liveop-seq", "5")
    expect(page.locator("[data-line]")).to_have_count(2)


def test_cancel_stays_on_the_page_and_asks_at_once(barred: Page, server: ScriptedServer) -> None:
    expect(element(barred)).to_have_attribute("freshness", "polling")
    barred.evaluate("window.samePage = true")
    barred.route("**/cancel/", lambda route: route.fulfill(status=204))
    asked = len(server.polls)
    server.polled = PollAnswer(news(6, kind="snapshot", state="CANCELLED", log=log(1, 0)))
    barred.get_by_role("button", name="Cancel").click()
    wait_until(lambda: len(server.polls) > asked, "it asks at once", within=2)
    expect(element(barred)).to_have_attribute("state", "CANCELLED")
    assert barred.evaluate("window.samePage") is True


def test_removing_the_element_ends_the_questions(barred: Page, server: ScriptedServer) -> None:
    barred.evaluate("document.querySelector('live-operation').remove()")
    barred.wait_for_timeout(200)
    asked = len(server.polls)
    advance(barred, 20)
    barred.wait_for_timeout(300)
    assert len(server.polls) == asked
