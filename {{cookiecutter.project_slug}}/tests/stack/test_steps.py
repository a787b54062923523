"""The site in containers, from nothing to a restored and replaced one: steps upon each other.

STACK_LINES and STACK_PAUSE (seconds) say how long an operation runs, STACK_SOCKETS and
STACK_SECONDS how many pages stay open for how long.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.client import SiteClient
from tests.faults.swarm import Swarm
from tests.processes import answers, free_port, wait_until
from tests.stack.base_images import provide_base_images
from tests.stack.deployment import NAME, PASSWORD, PROJECT, Deployment
from tests.stack.engine import Engine
from tests.stack.steps import Step

LINES = int(os.environ.get("STACK_LINES", "150"))
PAUSE = float(os.environ.get("STACK_PAUSE", "0.2"))
SOCKETS = int(os.environ.get("STACK_SOCKETS", "1000"))
SECONDS = float(os.environ.get("STACK_SECONDS", "60"))
PER_USER = 20
KIND = "operations.countlines"

# It still runs when a deploy has built the new version and started it.
LONG = 1_000
# How long a lost run may go unnoticed, and a start of new containers take.
NOTICED_WITHIN = 180
# LOST is no end for a kind with `retry_when_lost`, but a page may be shown it for a moment.
FINISHED = {"SUCCEEDED", "FAILED", "CANCELLED"}


def start_counting(member: SiteClient, lines: int = LINES) -> str:
    return member.start(KIND, lines=lines, pause=PAUSE)


def numbers(texts: list[str]) -> list[int]:
    return [int(text.removeprefix("line ")) for text in texts if text.startswith("line ")]


def stored_numbers(site: Deployment, operation_id: str) -> list[int]:
    """Of all attempts, in the order in which they were logged."""
    return [n for log in site.operation(operation_id)["logs"] for n in numbers(log)]


@contextmanager
def watched_run(
    site: Deployment, member: SiteClient, step: Step, lines: int = LINES
) -> Iterator[str]:
    """A run with a page open; when it has ended, counts what is missing in the record and there."""
    operation_id = start_counting(member, lines)
    with Swarm([member], operation_id, 1) as swarm:
        (page,) = swarm.pages
        swarm.wait_for(lambda page: page.view.last_line >= 5, "the run is under way")
        before = page.view.last_line
        yield operation_id
        ends_within = lines * PAUSE + NOTICED_WITHIN
        swarm.wait_for(lambda page: page.view.state in FINISHED, "the run ends", ends_within)
        assert page.view.state == "SUCCEEDED"
        assert page.view.problems == []
        shown = numbers(page.view.texts)
    stored = stored_numbers(site, operation_id)
    step.lost += len(set(range(1, lines + 1)) - set(stored))
    row = site.operation(operation_id)
    # A page shows the log of the last attempt.
    step.lost += len(set(numbers(row["logs"][-1])) - set(shown))
    assert stored == list(range(1, lines + 1)), "each line is there once and in order"
    step.note(
        f"{len(stored)} of {lines} lines, {row['attempt']} attempt(s), the page connected "
        f"{page.connections} x, line {before} when it began"
    )


def test_base_images_are_there(engine: Engine, step: Step) -> None:
    step.note(f"{engine.name}, {provide_base_images(engine)}")


def test_secrets_are_asked_for(site: Deployment) -> None:
    with pytest.raises(AssertionError, match=r"SECRET_KEY in \.env has 0 characters"):
        site.make("up")
    assert "made POSTGRES_PASSWORD" in site.make("secrets")
    assert site.make("secrets") == ""


def test_the_image_is_built(site: Deployment, step: Step) -> None:
    site.engine.run(
        "build",
        "--network=host",
        *("--target", "site", "--tag", f"{PROJECT}-site:current"),
        str(site.folder),
        within=900,
    )
    step.note(f"{site.image_size() / 2**20:.0f} MiB")
    run = ["run", "--rm", "--network=none", f"{PROJECT}-site:current"]
    assert site.engine.run(*run, "id", "-u") == "10001"
    there = site.engine.run(*run, "sh", "-c", "ls -A; command -v gcc cc; true").split()
    assert {"manage.py", "operations", "liveops"} <= set(there)
    assert not {".env", "tests", "gcc", "/usr/bin/cc"} & set(there)


def test_everything_starts_and_is_ready(site: Deployment, step: Step) -> None:
    began = time.monotonic()
    site.make("up")
    up = time.monotonic() - began
    site.wait_until_ready()
    step.note(f"make up {up:.0f} s, ready {time.monotonic() - began:.0f} s after it was called")
    step.notes += site.notes
    assert len(site.containers("web")) == len(site.containers("worker")) == 2


def test_people_sign_in_over_tls(site: Deployment) -> None:
    site.add_users("member")
    with site.client() as client:
        assert NAME.replace("&", "&amp;").replace('"', "&quot;") in client.http.get("/").text
        client.sign_in("member", PASSWORD)
        assert client.http.get("/").status_code == 200
        assert all(cookie.secure for cookie in client.http.cookies.jar)
    plain = httpx.get(f"http://localhost:{site.http_port}/", timeout=10)
    assert plain.headers["location"].startswith("https://")


def test_metrics_are_closed_to_the_outside(site: Deployment) -> None:
    env = (site.folder / ".env").read_text().splitlines()
    token = next(line for line in env if line.startswith("METRICS_TOKEN=")).partition("=")[2]
    headers = {"Authorization": f"Bearer {token}"}
    with site.client() as client:
        assert client.http.get("/metrics", headers=headers).status_code == 404
    ask = (
        "import urllib.request as r; print(r.urlopen(r.Request("
        f"'http://127.0.0.1:8000/metrics', headers={{**{headers!r}, 'Host': 'localhost'}}"
        ")).status)"
    )
    assert site.engine.run("exec", site.containers("web")[0], "python", "-c", ask) == "200"
    ask = "import urllib.request as r; print(r.urlopen('http://worker:9100/metrics').status)"
    assert site.engine.run("exec", site.containers("web")[0], "python", "-c", ask) == "200"


def test_an_upload_is_followed_to_100_percent(
    site: Deployment, member: SiteClient, step: Step
) -> None:
    rows = "".join(f"person{n}@example.org,Person {n}\n" for n in range(5_000))
    file = {"file": ("people.csv", f"email,name\n{rows}".encode(), "text/csv")}
    operation_id = member.start("operations.importcontacts", file)
    with Swarm([member], operation_id, 1) as swarm:
        swarm.wait_for(lambda page: page.view.state == "SUCCEEDED", "the import ends", 120)
        (page,) = swarm.pages
        assert 'value="100.0"' in page.view.parts["progress"]
    assert "5,000" in member.http.get(f"/operations/{operation_id}/").text
    assert any("people" in name for name in site.record()["files"])
    step.note("5,000 rows, over wss")


def test_a_web_server_is_killed(site: Deployment, member: SiteClient, step: Step) -> None:
    with watched_run(site, member, step):
        site.kill("web")
    site.start_again("web")
    site.wait_until_ready()


def test_a_worker_is_killed(site: Deployment, member: SiteClient, step: Step) -> None:
    with watched_run(site, member, step) as operation_id:
        # The one that runs it.
        (running,) = [each for each in site.containers("worker") if is_busy(site, each)]
        site.engine.run("kill", "--signal", "KILL", running)
        assert site.operation(operation_id)["state"] == "RUNNING"
    assert site.operation(operation_id)["attempt"] == 2
    site.start_again("worker")
    site.wait_until_ready()


def is_busy(site: Deployment, worker: str) -> bool:
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
    text = site.engine.run("exec", worker, "python", "-c", ask)
    values = [line for line in text.splitlines() if line.startswith("liveops_worker_running")]
    return any(float(line.split()[-1]) > 0 for line in values)


@pytest.mark.parametrize("service", ["broker", "cache", "postgres"])
def test_a_service_restarts(site: Deployment, member: SiteClient, step: Step, service: str) -> None:
    with watched_run(site, member, step):
        site.restart(service)
    site.wait_until_ready()


def test_a_backup_is_restored_after_everything_was_destroyed(
    site: Deployment, member: SiteClient, step: Step
) -> None:
    start_counting(member)
    wait_until(
        lambda: {row["state"] for row in site.record()["operations"].values()} == {"SUCCEEDED"},
        "all runs have ended",
        LINES * PAUSE + NOTICED_WITHIN,
    )
    before = site.record()
    file = site.make("backup").split()[-1]
    made = site.folder / file
    assert made.stat().st_mode & 0o077 == 0, "a backup is for its owner alone"
    site.destroy()
    site.forget_authority()
    assert site.containers("postgres", also_ended=True) == []
    began = time.monotonic()
    site.make("up")
    assert site.record() == {"operations": {}, "files": {}}
    site.make("restore", f"FILE={file}")
    site.wait_until_ready()
    after = site.record()
    for part in ("operations", "files"):
        step.lost += sum(after[part].get(key) != value for key, value in before[part].items())
    assert after == before
    step.note(
        f"{len(before['operations'])} operations, {len(before['files'])} files, "
        f"{made.stat().st_size / 2**20:.1f} MiB; "
        f"up and restored in {time.monotonic() - began:.0f} s"
    )


def test_a_damaged_backup_changes_nothing(site: Deployment) -> None:
    before = site.record()
    (good,) = sorted((site.folder / "backups").glob("site-*.tar.gz"))
    bad = good.with_name("damaged.tar.gz")
    bad.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    with pytest.raises(AssertionError, match="Nothing was changed"):
        site.make("restore", f"FILE=backups/{bad.name}")
    site.wait_until_ready()
    assert site.record() == before


def test_a_new_version_replaces_the_running_one(site: Deployment, step: Step) -> None:
    page = site.folder / "templates" / "base.html"
    page.write_text(page.read_text().replace("</body>", "<!-- new version --></body>"))
    old = {*site.containers("web"), *site.containers("worker")}
    with site.client() as member:
        member.sign_in("member", PASSWORD)
        with watched_run(site, member, step, LONG) as operation_id:
            with asking(site, step):
                site.make("deploy")
            row = site.operation(operation_id)
            assert (row["state"], row["attempt"]) == ("RUNNING", 2), "it was handed back"
        new = {*site.containers("web"), *site.containers("worker")}
        assert not old & new
        assert len(new) == 4
        assert "new version" in member.http.get("/").text
    site.wait_until_ready()


@contextmanager
def asking(site: Deployment, step: Step) -> Iterator[None]:
    """Asks for a page all the time; each has to be answered."""
    statuses: list[int | str] = []
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=site.base_url, verify=site.tls, timeout=30) as client:
            while not ended.wait(0.2):
                try:
                    statuses.append(client.get("/accounts/login/").status_code)
                except httpx.HTTPError as error:
                    statuses.append(repr(error))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    bad = [status for status in statuses if status != 200]
    step.note(f"{len(statuses) - len(bad)} of {len(statuses)} pages answered meanwhile")
    assert not bad, bad


def test_replicas_by_number(site: Deployment, step: Step) -> None:
    site.make("scale", "WORKER=3", "WEB=1")
    assert [len(site.containers(name)) for name in ("web", "worker")] == [1, 3]
    site.make("scale", "WORKER=2", "WEB=2")
    assert [len(site.containers(name)) for name in ("web", "worker")] == [2, 2]
    with pytest.raises(AssertionError, match="'web=0' is no number"):
        site.make("scale", "WEB=0")
    site.wait_until_ready()


def test_an_upload_that_is_too_large_gets_413(member: SiteClient, step: Step) -> None:
    page = member.http.get("/start/operations.importcontacts/")
    assert page.status_code == 200
    csrf = member.http.cookies.get("__Host-csrftoken") or ""
    answer = member.http.post(
        "/start/operations.importcontacts/",
        data={"csrfmiddlewaretoken": csrf},
        files={"file": ("big.csv", b"x" * (52 * 2**20), "text/csv")},
    )
    assert answer.status_code == 413
    assert "This is too large" in answer.text
    step.note("52 MiB")


def test_headers_that_come_slowly_are_not_waited_for(site: Deployment, step: Step) -> None:
    began = time.monotonic()
    with (
        socket.create_connection(("localhost", site.https_port), timeout=60) as plain,
        site.tls.wrap_socket(plain, server_hostname="localhost") as slow,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            drip(slow, 45)
    took = time.monotonic() - began
    assert 5 < took < 30
    step.note(f"closed after {took:.0f} s")


def drip(slow: ssl.SSLSocket, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(1)
        slow.sendall(b"X-Slow: 1\r\n")


def test_many_idle_pages_stay_connected(site: Deployment, step: Step) -> None:
    names = [f"idle{number}" for number in range(-(-SOCKETS // PER_USER))]
    site.add_users(*names)
    clients = []
    try:
        swarms = []
        for name in names:
            client = site.client()
            clients.append(client)
            client.sign_in(name, PASSWORD)
            operation_id = client.start(KIND, lines=1, pause=0)
            swarms.append(Swarm([client], operation_id, PER_USER))
        stay_open(swarms, step)
    finally:
        for client in clients:
            client.http.close()


def stay_open(swarms: list[Swarm], step: Step) -> None:
    entered = []
    try:
        for swarm in swarms:
            entered.append(swarm.__enter__())
            swarm.wait_until_connected(120)
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            time.sleep(1)
        pages = [page for swarm in swarms for page in swarm.pages]
        gone = [page for page in pages if not page.connected or page.close_codes]
        assert not gone, f"{len(gone)} of {len(pages)} pages were closed: {gone[0].close_codes}"
        step.note(f"{len(pages)} pages for {SECONDS:.0f} s, none was closed")
    finally:
        for swarm in entered:
            swarm.__exit__(None, None, None)


def test_the_doctor_finds_nothing_wrong(site: Deployment) -> None:
    said = site.make("manage", "COMMAND=doctor")
    assert "Sweeps" in said
    assert "wrong" not in said


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("worker", "Worker: none answered within"),
        ("broker", "Broker: redis://broker:6379/0: "),
        ("cache", "Cache: "),
        ("postgres", "Database: PostgreSQL at postgres:5432/site: "),
    ],
)
def test_the_doctor_says_what_is_away(
    site: Deployment, step: Step, service: str, says: str
) -> None:
    stopped = site.containers(service)
    site.engine.run("stop", "--time", "60", *stopped)
    with pytest.raises(AssertionError) as failed:
        site.make("manage", "COMMAND=doctor")
    site.engine.run("start", *stopped)
    site.wait_until_ready()
    (line,) = [each for each in str(failed.value).splitlines() if says in each]
    assert "wrong" in line
    step.note(line.strip()[:90])


def test_development_runs_what_was_just_written(site: Deployment, step: Step) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with site.development(port):
        wait_until(lambda: answers(f"{url}/healthz"), "the site serves", 600)
        urls = site.folder / "config" / "urls.py"
        text = urls.read_text(encoding="utf-8")
        assert not answers(f"{url}/just-written")
        route = 'path("just-written", lambda request: HttpResponse())'
        more = f"from django.http import HttpResponse\nurlpatterns += [{route}]\n"
        urls.write_text(text + more, encoding="utf-8")
        began = time.monotonic()
        wait_until(lambda: answers(f"{url}/just-written"), "what was written is served", 60)
        step.note(f"served {time.monotonic() - began:.0f} s after it was saved")
