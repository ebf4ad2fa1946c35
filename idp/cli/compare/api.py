"""The API of one policy, in a process of its own: a guard behind a bare HTTP server.

Its guard is the one that any API installs. What is added here only watches: it takes the time
of each judgement, counts what the guard asks of the provider, and can cut off the feed.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

import httpx

from idp.guard import Guard, Refused
from idp.guard.needs import Arrival, Need

SCOPE, ROLE = "notes:read", "editor"
FEED_PATIENCE, PATIENCE = 2.0, 0.3
MICRO = 1000


class Watched(httpx.HTTPTransport):
    """The guard's way to its provider: real, counted, and without the feed if need be."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_keepalive_connections=8))
        self.asked: Counter[str] = Counter()
        self.feed_is_cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked[path] += 1
        if path == "/feed" and self.feed_is_cut:
            raise httpx.ConnectError("the feed is cut off")
        seconds = FEED_PATIENCE if path == "/feed" else PATIENCE
        parts = ("connect", "read", "write", "pool")
        request.extensions["timeout"] = dict.fromkeys(parts, seconds)
        return super().handle_request(request)


class Api(ThreadingMixIn, TCPServer):
    """Serves on a free port; `guard` is set before the first request."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    guard: Guard
    needs: dict[str, Need]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.wire = Watched()
        self.judged: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def watch(self, guard: Guard, freshness: str) -> None:
        """Stand behind this guard."""
        self.guard = guard
        self.needs = {
            "/notes": guard.need(SCOPE, freshness=freshness),
            "/edits": guard.need(SCOPE, roles=(ROLE,), freshness=freshness),
        }

    def judge(self, need: Need, arrival: Arrival) -> None:
        """Ask the guard, and note what it took: nanoseconds on the clock and of this thread."""
        began, used = time.perf_counter_ns(), time.thread_time_ns()
        try:
            self.guard.judge(need, arrival)
        finally:
            used, began = time.thread_time_ns() - used, time.perf_counter_ns() - began
            with self._lock:
                self.judged.append((began, used))

    def counted(self) -> dict[str, Any]:
        """What was seen since the last time this was asked."""
        with self._lock:
            judged, self.judged = self.judged, []
            asked, self.wire.asked = self.wire.asked, Counter()
        return {
            "wall": [wall / MICRO for wall, _ in judged],
            "cpu": [cpu / MICRO for _, cpu in judged],
            "asked": dict(asked),
        }


class Door(BaseHTTPRequestHandler):
    """One connection, kept alive; every answer is written in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Api

    def do_GET(self) -> None:
        """An API call, or a question of who compares."""
        need = self.server.needs.get(self.path)
        if need is None:
            self._answer(200, {"fresh": self.server.guard.health()["fresh"]})
            return
        arrival = Arrival(
            authorization=self.headers.get_all("Authorization", []),
            method=self.command,
            url=self.path,
            dpop=self.headers.get_all("DPoP", []),
        )
        try:
            self.server.judge(need, arrival)
        except Refused as refused:
            self._answer(refused.status, refused.body)
        else:
            self._answer(200, {})

    def do_POST(self) -> None:
        """What only who compares may do; nobody else can reach this process."""
        acts: dict[str, Callable[[], object]] = {
            "/counted": self.server.counted,
            "/feed/off": lambda: setattr(self.server.wire, "feed_is_cut", True),
            "/feed/on": lambda: setattr(self.server.wire, "feed_is_cut", False),
        }
        self._answer(200, acts[self.path]())

    def log_message(self, *_said: object) -> None:
        """Nobody reads it."""

    def _answer(self, status: int, said: object) -> None:
        body = json.dumps(said).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
        self.wfile.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def main() -> None:
    """Read how the guard is set up, say where we are, and serve until standard input ends."""
    given = json.loads(sys.stdin.readline())
    api = Api()
    port = api.server_address[1]
    guard = Guard(
        given["issuer"],
        given["audience"],
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        redis_url=given["redis_url"],
        max_silence=given["max_silence"],
        origin=f"http://127.0.0.1:{port}",
        http=httpx.Client(transport=api.wire, trust_env=False),
    )
    api.watch(guard, given["freshness"])
    guard.start()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    guard.close()


if __name__ == "__main__":
    main()
