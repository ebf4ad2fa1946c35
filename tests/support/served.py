"""A world that a real browser can visit: the provider behind a small server on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from certify.authority import Pair
from tests.support.services import free_port
from tests.support.world import Clock, World, make_world


class Running(Clock):
    """The time on the wall, ahead by whatever it was advanced."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    @property
    def now(self) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class Quiet(WSGIRequestHandler):
    """The tests say what went wrong; the server need not."""

    def log(self, *_args: Any) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Served:
    """Where the provider of a world is reached."""

    world: World
    url: str


@contextmanager
def served(data_dir: Path, pair: Pair | None = None, **settings: str) -> Iterator[Served]:
    """A provider of its own, from now until the end of the block; over TLS with a pair."""
    port = free_port()
    url = f"{'https' if pair else 'http'}://localhost:{port}"
    tls = (str(pair.certificate), str(pair.key)) if pair else None
    world = make_world(data_dir, clock=Running(), IDP_ISSUER=url, **settings)
    server = make_server(
        "localhost", port, world.app, threaded=True, request_handler=Quiet, ssl_context=tls
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(world, url)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
