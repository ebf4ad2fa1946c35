"""A web server on loopback that speaks TLS: where clients keep the documents about themselves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from certify.authority import authority
from tests.support.https import served

JSON = {"Content-Type": "application/json"}


@dataclass
class Publisher:
    """What it serves by path: a status, headers and a body. `fetched` is what was asked for."""

    place: str = ""
    bundle: Path = Path()
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"https://{self.place}{path}"

    def publishes(
        self, path: str, document: Any, status: int = 200, headers: dict[str, str] = JSON
    ) -> str:
        """Serve this from now on; where it is found."""
        self.pages[path] = (status, headers, json.dumps(document).encode())
        return self.url(path)

    def about(self, path: str, **members: Any) -> dict[str, Any]:
        """What an app says of itself there; None leaves a member out."""
        said = {
            "client_id": self.url(path),
            "client_name": "Reader",
            "redirect_uris": ["https://reader.test/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        } | members
        return {name: value for name, value in said.items() if value is not None}


def _handler(publisher: Publisher) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.fetched.append(self.path)
            status, headers, body = publisher.pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    return Handler


@contextmanager
def publisher(folder: Path) -> Iterator[Publisher]:
    """On a free port, from now until the end of the block."""
    ours = authority(folder)
    pair = ours.signs("publisher", "localhost", "127.0.0.1")
    made = Publisher(bundle=ours.bundle)
    with served(_handler(made), pair) as made.place:
        yield made
