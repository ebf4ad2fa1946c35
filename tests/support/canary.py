"""A server on loopback that counts who comes, and names that mean what a test says."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


@dataclass
class Canary:
    """It answers every connection as told, and keeps what was sent to it."""

    port: int = 0
    says: Callable[[socket.socket], None] = lambda peer: peer.sendall(HEAD + b'{"keys": []}')
    heard: list[bytes] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/jwks.json"

    def serve(self, server: socket.socket) -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(peer,), daemon=True).start()

    def _meet(self, peer: socket.socket) -> None:
        with peer:
            try:
                self.heard.append(_request(peer))
                self.says(peer)
            except OSError:
                return


def _request(peer: socket.socket) -> bytes:
    """The whole request: a body is as long as it says. The beginning of TLS is left at that."""
    heard = peer.recv(65536)
    while heard and not heard.startswith(b"\x16"):
        head, ended, body = heard.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if ended and len(body) >= int(length[1] if length else 0):
            break
        heard += peer.recv(65536)
    return heard


@contextmanager
def canary() -> Iterator[Canary]:
    """On a free port, from now until the end of the block."""
    made = Canary()
    with socket.create_server(("127.0.0.1", 0)) as server:
        made.port = server.getsockname()[1]
        thread = threading.Thread(target=made.serve, args=(server,), daemon=True)
        thread.start()
        yield made
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@dataclass
class Names:
    """A resolver that answers as told, in turn, and remembers being asked."""

    answers: list[Sequence[str]]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@dataclass
class Dials:
    """Writes down which addresses are dialled; whoever is dialled, the canary answers."""

    canary: Canary
    dialled: list[str] = field(default_factory=list)

    def __call__(self, address: str, port: int, seconds: float) -> socket.socket:
        self.dialled.append(address)
        return socket.create_connection(("127.0.0.1", self.canary.port), timeout=seconds)
