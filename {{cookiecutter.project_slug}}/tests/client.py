"""A person with a browser, without the browser: signs in and clicks, over HTTP."""

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from tests.live_page import LivePage, read_page


class SiteClient:
    """`with SiteClient(stack.base_url) as client: client.sign_in("ann", "secret")`."""

    def __init__(self, base_url: str, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.http = httpx.Client(
            base_url=base_url,
            # Over https, Django wants to know which page a form came from.
            headers={"Referer": f"{base_url}/"},
            verify=tls or True,
            follow_redirects=True,
            timeout=60,
        )
        self.username = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    @property
    def cookies(self) -> str:
        """The value of a `Cookie` header, for a websocket."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)

    def sign_in(self, username: str, password: str) -> None:
        self.http.get("/accounts/login/").raise_for_status()
        answer = self.post("/accounts/login/", {"username": username, "password": password})
        if answer.url.path == "/accounts/login/":
            raise AssertionError(f"{username} could not sign in: {answer.text}")
        self.username = username

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Submits a form of the site, with its CSRF token; gives the page that it leads to."""
        cookies = self.http.cookies
        csrf = cookies.get("csrftoken") or cookies.get("__Host-csrftoken") or ""
        token = {"csrfmiddlewaretoken": csrf}
        answer = self.http.post(path, data={**token, **(data or {})}, files=files)
        answer.raise_for_status()
        return answer

    def start(self, kind: str, files: Mapping[str, Any] | None = None, **data: Any) -> str:
        """Submits the start form of `kind`; gives the operation's id."""
        answer = self.post(f"/start/{kind}/", data, files)
        match answer.url.path.strip("/").split("/"):
            case ["operations", operation_id]:
                return operation_id
        raise AssertionError(f"{kind} did not start: {answer.text}")

    def cancel(self, operation_id: str) -> httpx.Response:
        return self.post(f"/operations/{operation_id}/cancel/")

    def restart(self, operation_id: str) -> httpx.Response:
        return self.post(f"/operations/{operation_id}/restart/")

    def live_page(self, operation_id: str) -> LivePage:
        answer = self.http.get(f"/operations/{operation_id}/")
        answer.raise_for_status()
        return read_page(answer.text)

    def fresh_token(self, page: LivePage) -> str:
        """Asks for a token as the page does before each reconnect."""
        answer = self.http.post(
            page.attributes["data-liveop-token-url"],
            headers={"X-CSRFToken": page.attributes["data-liveop-csrf"]},
        )
        answer.raise_for_status()
        return str(answer.json()["token"])
