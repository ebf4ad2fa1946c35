"""One API server with a guard for each API, of which `short` asks nobody:
`python -m tests.faults.node PLAN PORT`.

It says `ready` when it follows the feed, and answers `GET /<api>` until its input ends.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from idp.guard import Guard, Refused
from idp.guard.needs import Freshness
from tests.faults.plan import APIS, MAX_SILENCE, Plan, audience


class Balanced(httpx.BaseTransport):
    """What stands before the provider: goes to one of its servers, and to the other when that
    is not there.
    """

    def __init__(self, ports: list[int], first: int) -> None:
        self._ports = [*ports[first:], *ports[:first]]
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=50)
        self._inner = httpx.HTTPTransport(limits=limits, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for port in self._ports[:-1]:
            try:
                return self._ask(request, port)
            except httpx.ConnectError:
                continue
        return self._ask(request, self._ports[-1])

    def _ask(self, request: httpx.Request, port: int) -> httpx.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class Node(ThreadingHTTPServer):
    """The API server."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, plan: Plan, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        first = plan.nodes.index(port) % len(plan.providers)
        http = httpx.Client(transport=Balanced(plan.providers, first), timeout=2.0)
        self.guards = {
            api: Guard(
                plan.issuer,
                audience(api),
                client_id=plan.api[0],
                client_secret=plan.api[1],
                redis_url=plan.redis_url,
                max_silence=MAX_SILENCE,
                http=http,
            )
            for api in APIS
        }
        for guard in self.guards.values():
            guard.start()
        self.names = {api: str(guard.health()["name"]) for api, guard in self.guards.items()}


class Handler(BaseHTTPRequestHandler):
    """Asks the guard, and says what it said."""

    protocol_version = "HTTP/1.1"
    server: Node

    def do_GET(self) -> None:
        api = self.path.strip("/")
        try:
            self.server.guards[api].check(
                self.headers.get_all("Authorization") or [],
                (f"{api}:use",),
                method="GET",
                url=self.path,
                dpop=self.headers.get_all("DPoP") or [],
                freshness=Freshness.OFFLINE if api == "short" else Freshness.FEED,
            )
        except Refused as refused:
            self._answer(api, refused.status, {"error": refused.error})
        else:
            self._answer(api, 200, {})

    def _answer(self, api: str, status: int, body: dict[str, str | None]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-Guard", self.server.names[api])
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_args: object) -> None:
        """Nothing."""


def main() -> None:
    """Serve until the parent is gone."""
    plan, port = Plan.load(Path(sys.argv[1])), int(sys.argv[2])
    node = Node(plan, port)
    threading.Thread(target=node.serve_forever, daemon=True).start()
    ends = time.monotonic() + 60
    while not all(guard.health()["fresh"] for guard in node.guards.values()):
        if time.monotonic() > ends:
            print([guard.health() for guard in node.guards.values()], flush=True)
        time.sleep(0.1)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
