"""What is too large is answered with 413, and says what to do."""

import pytest
from django.test import Client


@pytest.mark.parametrize(
    "data", [{"username": "x" * 3_000_000}, {f"field{number}": "x" for number in range(1_001)}]
)
def test_a_form_that_is_too_large(data: dict[str, str]) -> None:
    answer = Client().post(
        "/accounts/login/",
        "&".join(f"{k}={v}" for k, v in data.items()),
        "application/x-www-form-urlencoded",
    )
    assert answer.status_code == 413
    html = answer.content.decode()
    assert "This is too large" in html
    assert "mailto:admin@example.org" in html


def test_another_bad_request_is_400() -> None:
    answer = Client().get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "This request cannot be read" in answer.content.decode()
