"""What only the operator of the demo may do, for the lab's buttons: loopback, and with a secret."""

import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST_BODY = 4096
LONGEST = 15
THINGS = ("provider", "store", "feed")
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_PLACE = re.compile(r"http://localhost:\d+/lab/[a-z_/]+")
ROLES = ("editor", "reader")

Commands = Callable[..., Any]


class Operator:
    """Runs the `idp` command for the lab, and takes things away for a while."""

    def __init__(self, idp: Commands, take: Callable[[str, int], bool]) -> None:
        self._idp = idp
        self._take = take
        self.secret = secrets.token_urlsafe(32)
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Hear no more."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, what: str, said: dict[str, Any]) -> tuple[int, Any]:
        """Do one of three things, if it is asked for properly."""
        username = str(said.get("username", ""))
        if what == "take":
            thing, seconds = said.get("thing"), said.get("seconds")
            if thing not in THINGS or type(seconds) is not int or not 0 < seconds <= LONGEST:
                return 400, {}
            return (200, {}) if self._take(thing, seconds) else (409, {})
        if _NAME.fullmatch(username) is None or username.startswith("-"):
            return 400, {}
        if what == "everywhere":
            return 200, self._idp("account", "sign-out", username, "--json")
        resource, role = str(said.get("resource", "")), said.get("role")
        if what != "role" or role not in ROLES or _PLACE.fullmatch(resource) is None:
            return 400, {}
        return 200, self._idp("role", "set", username, resource, role, "--json")


class _Server(ThreadingHTTPServer):
    """Loopback, on a port of the system's choice."""

    daemon_threads = True

    def __init__(self, operator: Operator) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.operator = operator


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """One deed; whoever does not know the secret gets none."""
        wanted = f"Bearer {self.server.operator.secret}"
        given = self.headers.get("Authorization", "")
        length = self.headers.get("Content-Length", "")
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            self._say(401, {})
        elif not length.isdecimal() or int(length) > LONGEST_BODY:
            self._say(400, {})
        else:
            self._say(*self._done(self.rfile.read(int(length))))

    def _done(self, body: bytes) -> tuple[int, Any]:
        try:
            said = json.loads(body)
        except ValueError:
            return 400, {}
        if not isinstance(said, dict):
            return 400, {}
        try:
            return self.server.operator.answer(self.path.strip("/"), said)
        except SystemExit as error:  # the command was refused
            return 409, {"error": str(error)}

    def _say(self, status: int, said: object) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The demo's output is for its addresses."""
