"""The back-channel door of two apps: it hears notices, fails now and then, and writes down each
that is valid (Back-Channel Logout 1.0 section 2.6).
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx

from idp.crypto import jose
from tests.faults.history import Recorder
from tests.faults.plan import Plan

BUSY = 0.1
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Receiver(ThreadingHTTPServer):
    """A server on loopback; `trusts` says whose notices are good."""

    daemon_threads = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.recorder = recorder
        self.chance = random.Random(7)
        self.plan: Plan | None = None
        self.keys: list[jose.Verifier] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, app: str) -> str:
        """Where an app is told."""
        return f"http://localhost:{self.port}/{app}"

    def trusts(self, plan: Plan) -> None:
        """From now on."""
        self.plan = plan

    def hear(self, app: str, token: str) -> None:
        """Write a notice down; raises for one that is not valid."""
        plan = self.plan
        if plan is None:
            raise ValueError("nobody is trusted yet")
        client = next(known.client_id for known in plan.apps if known.name == app)
        said = jose.verify(token, self._keys(plan), jose.OUR_ALGORITHMS, typ="logout+jwt")
        if (said["iss"], said["aud"]) != (plan.issuer, client) or EVENT not in said["events"]:
            raise ValueError("the notice is for somebody else")
        with self.recorder.doing(app, "notice", said["sid"], jti=said["jti"]) as doing:
            doing.ok()

    @contextmanager
    def serving(self) -> Iterator["Receiver"]:
        """Until the end of the block."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()

    def _keys(self, plan: Plan) -> list[jose.Verifier]:
        if not self.keys:
            port = plan.providers[self.chance.randrange(len(plan.providers))]
            url = f"http://127.0.0.1:{port}/jwks.json"
            found = httpx.get(url, timeout=5, trust_env=False).json()["keys"]
            self.keys = [jose.Verifier(k["kid"], k["alg"], jose.import_key(k)) for k in found]
        return self.keys


class Handler(BaseHTTPRequestHandler):
    """Takes one notice."""

    server: Receiver

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(204 if self._heard(parse_qs(raw)["logout_token"][0]) else 503)
        self.end_headers()

    def _heard(self, token: str) -> bool:
        """False when the app is busy, or cannot fetch the provider's keys at the moment."""
        if self.server.chance.random() < BUSY:
            return False
        try:
            self.server.hear(self.path.strip("/"), token)
        except httpx.HTTPError:
            return False
        return True

    def log_message(self, *_args: object) -> None:
        """Nothing."""
