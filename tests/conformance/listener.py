"""The suite's own server on loopback: documents to fetch, and an address to be told of things.

It speaks TLS with a certificate of its own authority, which the provider has to trust.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from joserfc.jwk import RSAKey

from certify.authority import authority
from tests.support.https import served


@dataclass
class Received:
    """One request that came: its path, its headers and its body."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body)


@dataclass
class Listener:
    """What it serves, what it answers, and what came.

    `documents` are by path: a value that is not text is sent as JSON. `answers` are the
    statuses of notices by path, 200 if nothing is said.
    """

    place: str = ""
    bundle: Path = Path()
    documents: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    told: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://{self.place}"

    def keys(self, *keys: RSAKey) -> dict[str, Any]:
        """A key set to serve."""
        return {"keys": [key.as_dict(private=False) for key in keys]}

    def forgets(self) -> None:
        """A new module begins."""
        for kept in (self.documents, self.answers, self.fetched, self.told):
            kept.clear()


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            listener.fetched.append(self.path)
            found = listener.documents.get(path)
            self._answer(404 if found is None else 200, _written(found))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            listener.told.append(Received(self.path, dict(self.headers), body))
            self._answer(listener.answers.get(self.path, 200), b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    return Handler


def _written(document: Any) -> bytes:
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()


@contextmanager
def listener(folder: Path) -> Iterator[Listener]:
    """On a free port, from now until the end of the block."""
    ours = authority(folder)
    pair = ours.signs("suite", "localhost", "127.0.0.1")
    made = Listener(bundle=ours.bundle)
    with served(_handler(made), pair) as made.place:
        yield made
