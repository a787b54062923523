"""What `config/asgi.py` changes in the libraries below it is still there to be changed."""

import daphne.cli
from autobahn.websocket import protocol

from config import asgi


def test_autobahns_debug_line_is_not_laid_out() -> None:
    assert "pformat" in protocol.WebSocketProtocol._connectionMade.__code__.co_names
    assert protocol.pformat is asgi.unprinted


def test_daphne_makes_its_access_log_with_the_class_that_is_replaced() -> None:
    assert "AccessLogGenerator" in daphne.cli.CommandLineInterface.run.__code__.co_names
