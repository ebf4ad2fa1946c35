"""The line on which the lab's APIs hear what has ended; the demo's operator can cut it."""

import hmac
import time

import httpx
from flask import Flask, Response, jsonify, request

FEED = "/feed"
PATIENCE, FEED_PATIENCE = 0.3, 2.0
LONGEST_CUT = 15


class Line(httpx.HTTPTransport):
    """Carries what the guards ask. While it is cut, the feed is out of their reach."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_connections=None, max_keepalive_connections=64))
        self._until = 0.0

    def cut(self, seconds: int) -> None:
        self._until = time.monotonic() + seconds

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, with as much patience as a guard has of its own (`idp.guard.wire`)."""
        feed = request.url.path == FEED
        if feed and time.monotonic() < self._until:
            raise httpx.ConnectError("the line is cut", request=request)
        if feed:
            patience = httpx.Timeout(FEED_PATIENCE).as_dict()
            request.extensions = {**request.extensions, "timeout": patience}
        return super().handle_request(request)


def hang(app: Flask, line: Line, secret: str) -> httpx.Client:
    """The client for the guards, and a place where the operator cuts its line."""

    def cut() -> tuple[Response, int]:
        given = request.headers.get("Authorization", "").encode()
        if not secret or not hmac.compare_digest(given, f"Bearer {secret}".encode()):
            return jsonify(), 401
        said = request.get_json(silent=True)
        seconds = said.get("seconds") if isinstance(said, dict) else None
        if type(seconds) is not int or not 0 < seconds <= LONGEST_CUT:
            return jsonify(), 400
        line.cut(seconds)
        return jsonify(), 200

    app.add_url_rule("/lab/line", "line", cut, methods=["POST"])
    return httpx.Client(transport=line, timeout=PATIENCE)
