"""Stands between the guards and their Redis: counts what they ask, and can cut them off."""

import socket
import threading
from collections import Counter
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536
HOUSEKEEPING = {b"HELLO", b"CLIENT", b"SELECT", b"PING", b"AUTH", b"XREAD"}


class Relay(ThreadingMixIn, TCPServer):
    """A way to one Redis. `url` is where the guards find it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Between)
        parts = urlsplit(url)
        self.target = (parts.hostname or "localhost", parts.port or 6379)
        user, at, _ = parts.netloc.rpartition("@")
        ours = f"{user}{at}127.0.0.1:{self.server_address[1]}"
        self.url = urlunsplit(parts._replace(netloc=ours))
        self.asked: Counter[bytes] = Counter()
        self.is_cut = False

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.is_cut = True
        self.shutdown()
        self.server_close()

    def counted(self) -> int:
        """How many questions the guards have asked since the last time; following is none."""
        asked, self.asked = self.asked, Counter()
        return sum(count for name, count in asked.items() if name not in HOUSEKEEPING)


class _Between(BaseRequestHandler):
    """One connection of a guard."""

    server: Relay

    def handle(self) -> None:
        try:
            with socket.create_connection(self.server.target) as onward:
                for way in (onward, self.request):  # what is small is not held back for more
                    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=self._back, args=(onward,), daemon=True)
                back.start()
                self._on(onward)
        except OSError:
            return

    def _on(self, onward: socket.socket) -> None:
        while (said := self.request.recv(CHUNK)) and not self.server.is_cut:
            self.server.asked.update(commands(said))
            onward.sendall(said)

    def _back(self, onward: socket.socket) -> None:
        try:
            while said := onward.recv(CHUNK):
                if self.server.is_cut:
                    break
                self.request.sendall(said)
            self.request.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def commands(said: bytes) -> list[bytes]:
    """The names of the commands in it: `*2 $3 GET $11 idp:listed:…`. They are short, so that
    each is sent in one piece.
    """
    pieces = said.split(b"\r\n")
    return [
        pieces[at + 2].upper()
        for at, piece in enumerate(pieces)
        if piece.startswith(b"*") and piece[1:].isdigit() and at + 2 < len(pieces)
    ]
