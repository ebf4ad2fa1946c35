"""How a guard talks to its issuer: kept-alive connections, little patience, short answers.

Nobody waits long and nobody waits in a queue: whoever gets no answer in time is told so, and
decides what that means.
"""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import httpx

PATIENCE = 0.3
CONNECTIONS = 32
MOST_BYTES = 256 * 1024


class Unanswered(Exception):
    """Nobody could say. Unknown means no, for now (promise P5)."""


class Wire:
    """One HTTP client; every answer is a JSON object, or `Unanswered`."""

    def __init__(
        self,
        http: httpx.Client | None,
        credentials: tuple[str, str] | None = None,
        patience: float = PATIENCE,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._own = http is None
        self._http = http or httpx.Client(timeout=patience, limits=limits, trust_env=False)
        self._auth = None if credentials is None else _basic(*credentials)
        self._patience = patience
        self._most_bytes = most_bytes

    def get(self, url: str, **query: str | int) -> dict[str, Any]:
        """Fetch what anybody may see."""
        return self._ask("GET", url, params=query or None)

    def get_text(self, url: str, media_type: str) -> str:
        """Fetch what anybody may see and is no JSON."""
        body = self._fetch("GET", url, headers={"Accept": media_type})
        try:
            return body.decode("ascii")
        except UnicodeDecodeError as error:
            raise Unanswered("not a token") from error

    def get_as_ourselves(self, url: str, query: Mapping[str, str | int]) -> dict[str, Any]:
        """Fetch what only we may see."""
        return self._ask("GET", url, params=dict(query), auth=self._auth)

    def post(self, url: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Ask as ourselves."""
        return self._ask("POST", url, data=dict(form), auth=self._auth)

    def close(self) -> None:
        """Let the connections go, if they are ours."""
        if self._own:
            self._http.close()

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            said = json.loads(self._fetch(method, url, **more))
        except (ValueError, RecursionError) as error:
            raise Unanswered(type(error).__name__) from error
        if not isinstance(said, dict):
            raise Unanswered("not an object")
        return said

    def _fetch(self, method: str, url: str, **more: Any) -> bytes:  # noqa: ANN401
        ends = time.monotonic() + 2 * self._patience
        try:
            with self._http.stream(method, url, **more) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise Unanswered(f"{answer.status_code}")
                return self._read(answer, ends)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unanswered(type(error).__name__) from error

    def _read(self, answer: httpx.Response, ends: float) -> bytes:
        """The body, as long as it is short and comes at once; trickles are no answers."""
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > self._most_bytes:
                raise Unanswered("too long")
            if time.monotonic() > ends:
                raise Unanswered("too slow")
        return bytes(body)


def _basic(client_id: str, client_secret: str) -> httpx.BasicAuth:
    """Both halves are form-encoded first (RFC 6749 section 2.3.1)."""
    return httpx.BasicAuth(quote_plus(client_id), quote_plus(client_secret))
