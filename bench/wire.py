"""A browser's half of HTTP/1.1, as lean as a load driver needs it: keep-alive, no copies."""

import socket
from dataclasses import dataclass
from urllib.parse import urlencode

END = b"\r\n\r\n"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    head: bytes
    body: bytes


class Connection:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> Reply:
        """Send one request and wait for its answer."""
        self._socket.sendall(request)
        data = self._socket.recv(65536)
        while data and END not in data:
            data += self._socket.recv(65536)
        head, _, body = data.partition(END)
        missing = _length(head) - len(body)
        while missing > 0:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the server hung up in the middle of an answer")
            body += more
            missing -= len(more)
        return Reply(int(head[9:12]), head, body)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def get(path: str, **headers: str) -> bytes:
    """A GET, ready to be sent again and again."""
    return _request("GET", path, headers, b"")


def post(path: str, form: dict[str, str], **headers: str) -> bytes:
    """A form, ready to be sent."""
    return _request("POST", path, FORM | headers, urlencode(form).encode())


def _request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept: */*"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + END + body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0
