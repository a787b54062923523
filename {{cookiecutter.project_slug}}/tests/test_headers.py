"""What every answer tells the browser."""

import pytest
from django.test import Client, override_settings

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types liveops default",
    "report-uri /csp-report",
}


@pytest.mark.parametrize("path", ["/accounts/login/", "/healthz", "/nowhere/"])
def test_the_content_security_policy_is_strict(client: Client, path: str) -> None:
    header = client.get(path).headers["Content-Security-Policy"]
    assert set(header.split("; ")) == POLICY


def test_other_protections_are_on(client: Client) -> None:
    headers = client.get("/accounts/login/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_healthz_needs_no_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_the_sign_in_page_names_the_site(client: Client) -> None:
    assert "Test site" in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_come_over_plain_http(transactional_db: None, client: Client, path: str) -> None:
    """A load balancer asks the web server itself, where https has ended."""
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert client.get("/accounts/login/").status_code == 301
        assert client.get(path).status_code == 200
