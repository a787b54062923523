"""Ends with 0 when the web server of this container serves; a probe, see compose.yaml."""

import http.client
import os
import sys

hosts = os.environ.get("ALLOWED_HOSTS") or os.environ.get("DOMAIN_NAME") or "localhost"
# Any subdomain will do where all of them are allowed, any name at all where every one is.
host = hosts.split(",")[0].strip().lstrip("*.") or "localhost"

try:
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    connection.request("GET", "/healthz", headers={"Host": host})
    answer = connection.getresponse()
except OSError as error:
    sys.exit(f"The web server does not answer: {error}")
if answer.status != http.HTTPStatus.OK:
    sys.exit(f"The web server answers {answer.status} {answer.reason} for the host {host!r}.")
