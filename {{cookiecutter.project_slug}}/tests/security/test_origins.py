"""Websockets that another site's page opens: refused before they are accepted, and written down."""

import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.processes import wait_until
from tests.security.cast import Visitor
from tests.security.sockets import OK, answer_to
from tests.security.stack import SecurityStack

# `{host}` and `{port}` are the site's own.
FOREIGN = {
    "foreign": "http://evil.example",
    "missing": None,
    "null": "null",
    "file": "file:///etc/passwd",
    "suffix": "http://{host}.evil.example:{port}",
    "prefix": "http://evil-{host}:{port}",
    "subdomain": "http://evil.{host}:{port}",
    "user name": "http://{host}@evil.example",
    "fragment": "http://evil.example#{host}",
    "path": "http://evil.example/{host}",
    "backslash": "http://evil.example\\.{host}",
    "other name of the machine": "http://[::1]:{port}",
    "bytes": "http://\xff\xfe",
}
# The websocket library refuses these itself, so that they never reach the site.
MALFORMED = {
    "empty": "",
    "no url": "nonsense",
    "broken address": "http://[",
    "broken port": "http://{host}:x",
    "port out of range": "http://{host}:99999",
    "scheme only": "http://",
    "script": "javascript:alert(1)",
}
# Only a list of whole origins tells these from the site: ALLOWED_HOSTS has no ports and schemes.
OTHER_DOOR = {
    "other port": "http://{host}:9",
    "no port": "http://{host}",
    "other scheme": "https://{host}:{port}",
    "ftp": "ftp://{host}:{port}",
}
HANDSHAKE = (
    "GET /ws/liveops/ HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"
    "Sec-WebSocket-Version: 13\r\nCookie: {cookie}\r\n{origin}\r\n"
)


def handshake(url: str, cookie: str, origin: str | None) -> int:
    """The status with which a handshake of this origin is answered, byte for byte."""
    address = urlsplit(url)
    names = {"host": address.hostname, "port": address.port}
    line = "" if origin is None else f"Origin: {origin.format(**names)}\r\n"
    request = HANDSHAKE.format(**names, cookie=cookie, origin=line)
    with socket.create_connection((address.hostname, address.port or 80), timeout=20) as raw:
        raw.sendall(request.encode("latin-1"))
        status = raw.recv(4096).split(b" ")[1]
    return int(status)


@pytest.mark.fault(18)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_origin_is_refused_before_accept(
    stack: SecurityStack, owner: Visitor, origin: str | None
) -> None:
    for url in (stack.base_url, stack.watchful_url):
        assert handshake(url, owner.cookie, origin) == 403


@pytest.mark.fault(18)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("origin", MALFORMED.values(), ids=MALFORMED)
def test_an_origin_that_is_no_address_is_refused_before_accept(
    stack: SecurityStack, owner: Visitor, origin: str
) -> None:
    for url in (stack.base_url, stack.watchful_url):
        assert handshake(url, owner.cookie, origin) in {400, 403}


@pytest.mark.fault(18)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("origin", OTHER_DOOR.values(), ids=OTHER_DOOR)
def test_a_list_of_origins_is_taken_by_the_letter(
    stack: SecurityStack, owner: Visitor, origin: str
) -> None:
    assert handshake(stack.watchful_url, owner.cookie, origin) == 403


@pytest.mark.fault(18)
def test_the_sites_own_origin_is_let_in(stack: SecurityStack, owner: Visitor) -> None:
    for url in (stack.base_url, stack.watchful_url):
        assert handshake(url, owner.cookie, "http://{host}:{port}") == 101
        assert answer_to(url, owner.cookie, owner.token()) == OK


@pytest.mark.fault(18)
def test_a_refused_origin_is_a_warning_with_the_address(
    stack: SecurityStack, owner: Visitor
) -> None:
    name = f"http://evil-{owner.word}.example"
    assert handshake(stack.base_url, owner.cookie, name) == 403
    line = re.compile(rf"WARNING .*websocket refused .*address=127\.0\.0\.1 .*{owner.word}")
    wait_until(lambda: line.search(stack.logs()["web"]), "the refusal is in the log", within=5)
