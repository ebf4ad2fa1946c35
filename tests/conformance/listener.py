"""The suite's own server on loopback: keys to fetch, and an address to be told of sign-outs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from joserfc.jwk import RSAKey


@dataclass
class Listener:
    """What it serves, and what came."""

    place: str = ""
    keys: list[RSAKey] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    told: list[list[tuple[str, str]]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.place}"


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            listener.fetched.append(self.path)
            keys = [key.as_dict(private=False) for key in listener.keys]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": keys}).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            listener.kinds.append(self.headers["Content-Type"])
            listener.told.append(parse_qsl(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    return Handler


@contextmanager
def listener() -> Iterator[Listener]:
    """On a free port, from now until the end of the block."""
    made = Listener()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.place = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
