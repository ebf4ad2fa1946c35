"""A provider as it runs in production, with people and clients, that a test does harm to."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from idp.store import db
from tests.faults.processes import ROOT, Process, wait_until_ready
from tests.support.race import at_real_time
from tests.support.services import free_port
from tests.support.world import Rp, World, make_world

__all__ = ["ROOT", "SECRET", "Running", "environ_of", "running"]

SECRET = "a secret that is only good for tests, and long"


@dataclass
class Running:
    """One or more servers at addresses of their own, and the world that fills their store."""

    world: World
    issuer: str
    environ: dict[str, str]
    servers: list[Process]
    ports: list[int]

    def post(self, path: str, rp: Rp, timeout: float = 20, **form: str) -> httpx.Response:
        """A call of a client, over a connection of its own."""
        auth = (rp.client_id, rp.secret or "")
        return httpx.post(f"{self.issuer}{path}", data=form, auth=auth, timeout=timeout)

    def get(self, path: str, token: str = "", timeout: float = 20) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.issuer}{path}", headers=headers, timeout=timeout)

    def tokens(self, rp: Rp, count: int) -> list[dict[str, Any]]:
        """So many sign-ins of Alice at this client."""
        at_real_time(self.world)
        browser = self.world.browser()
        browser.sign_in()
        return [browser.tokens(rp) for _ in range(count)]

    def processes(self) -> list[int]:
        """Every process of every server."""
        return [pid for server in self.servers for pid in (server.child.pid, *server.workers())]

    @contextmanager
    def limited(self, kind: int, most: int) -> Iterator[None]:
        """Let no process have more of this, until the end of the block."""
        pids = self.processes()
        before = {pid: resource.prlimit(pid, kind) for pid in pids}
        for pid in pids:
            resource.prlimit(pid, kind, (most, before[pid][1]))
        try:
            yield
        finally:
            for pid in pids:
                resource.prlimit(pid, kind, before[pid])


def environ_of(folder: Path, issuer: str) -> dict[str, str]:
    """What a process of a provider must know."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    return kept | {"IDP_DATA_DIR": str(folder), "IDP_ISSUER": issuer, "IDP_SECRET": SECRET}


@contextmanager
def running(folder: Path, url: str = "", servers: int = 1, **settings: str) -> Iterator[Running]:
    """Such a provider, from now until the end of the block."""
    ports = [free_port() for _ in range(servers)]
    issuer = f"http://localhost:{ports[0]}"
    world = make_world(folder, url, IDP_ISSUER=issuer, **settings)
    world.person()
    environ = environ_of(folder, issuer) | settings | ({"IDP_DATABASE_URL": url} if url else {})
    made = Running(world, issuer, environ, [], ports)
    try:
        for port in ports:
            more = {"IDP_PORT": str(port)}
            log = folder / f"server-{port}.log"
            serve = ("idp.cli", "serve")
            made.servers.append(Process(serve, environ | more, log, speaks=False))
        for port in ports:
            wait_until_ready(port)
        yield made
    finally:
        for server in made.servers:
            server.end()
        with world.app.app_context():
            db.session.remove()
            db.engine.dispose()
