"""The only HTTP client of the provider. It goes to public addresses and nowhere else.

The name is resolved once, every address it has must be public, and the connection is made to
the address that was checked, so that a name cannot mean one thing when it is checked and
another when it is used. Redirects are not followed. Every failure reads the same.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 5.0
ANSWER_BYTES = 4 * 1024
JSON_BYTES = 64 * 1024
PORT = 443
SIXTO4 = ipaddress.ip_network("2002::/16")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SHARED = ipaddress.ip_network("100.64.0.0/10")
USER_AGENT = "idp (OpenID Provider)"
FETCHES_AT_ONCE = 8


class OutboundRefused(Exception):
    """It could not be fetched. The reason is not told, so that nobody can map our network."""

    def __init__(self) -> None:
        super().__init__("the address could not be reached")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the other side said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


class Outbound:
    """Fetches what clients point us to. `allowed` lists `host:port` places for development."""

    def __init__(
        self, allowed: frozenset[str] = frozenset(), ca_bundle: Path | None = None
    ) -> None:
        self._allowed = allowed
        self._tls = ssl.create_default_context(cafile=str(ca_bundle) if ca_bundle else None)
        self._pool = threading.BoundedSemaphore(FETCHES_AT_ONCE)

    def get_json(self, url: str, max_bytes: int = JSON_BYTES) -> object:
        """The JSON document at an address; raises `OutboundRefused` for anything else."""
        if not self._pool.acquire(timeout=TOTAL_SECONDS):
            raise OutboundRefused
        try:
            answered = self._exchange("GET", url, None, TOTAL_SECONDS, max_bytes)
        finally:
            self._pool.release()
        if answered.status != 200:  # noqa: PLR2004
            raise OutboundRefused
        try:
            document: object = json.loads(answered.body)
        except (ValueError, RecursionError):
            raise OutboundRefused from None
        return document

    def post_form(self, url: str, form: Mapping[str, str], deadline: float) -> Answered:
        """Post a form; any status is an answer, and only the beginning of it is read."""
        return self._exchange("POST", url, urlencode(form).encode(), deadline, ANSWER_BYTES)

    def _exchange(
        self, method: str, url: str, body: bytes | None, deadline: float, max_bytes: int
    ) -> Answered:
        target = self._target(url)
        ends = time.monotonic() + deadline
        try:
            connection = self._connect(target)
            try:
                return _ask(connection, method, target, body, ends, max_bytes)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError):
            raise OutboundRefused from None

    def _target(self, url: str) -> _Target:
        if any(ord(char) <= 0x20 or ord(char) >= 0x7F for char in url) or "\\" in url:  # noqa: PLR2004
            raise OutboundRefused
        try:
            parts = urlsplit(url)
            port = parts.port or (PORT if parts.scheme == "https" else 80)
        except ValueError:
            raise OutboundRefused from None
        host = parts.hostname or ""
        target = _Target(parts.scheme, host, port, parts.path or "/")
        if parts.query:
            target = _Target(parts.scheme, host, port, f"{target.path}?{parts.query}")
        if not host or parts.username is not None or parts.password is not None:
            raise OutboundRefused
        usual = parts.scheme == "https" and port == PORT
        if not usual and target.place not in self._allowed:
            raise OutboundRefused
        return target

    def _connect(self, target: _Target) -> http.client.HTTPConnection:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [str(info[4][0]) for info in found]
        if target.place not in self._allowed and not all(map(is_public, addresses)):
            raise OutboundRefused
        plain = _first_that_answers(addresses, target.port)
        if target.scheme == "https":
            try:
                plain = self._tls.wrap_socket(plain, server_hostname=target.host)
            except OSError:
                plain.close()
                raise
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = plain
        return connection


def _first_that_answers(addresses: list[str], port: int) -> socket.socket:
    """Connect to one of the addresses that were checked, and to no other."""
    problem: OSError = OSError("no address")
    for address in dict.fromkeys(addresses):
        try:
            return socket.create_connection((address, port), timeout=CONNECT_SECONDS)
        except OSError as error:
            problem = error
    raise problem


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet (SSR-01)."""
    try:
        parsed = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed in NAT64 or parsed in SIXTO4:
            return False
    elif parsed in SHARED:
        return False
    return parsed.is_global and not parsed.is_multicast


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    target: _Target,
    body: bytes | None,
    ends: float,
    max_bytes: int,
) -> Answered:
    """One request; the deadline is for all of it, however slowly the answer drips."""
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Connection": "close"}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    _patience(connection, ends)
    connection.request(method, target.path, body=body, headers=headers)
    watch = threading.Timer(max(0.05, ends - time.monotonic()), _hang_up, [connection.sock])
    watch.daemon = True
    watch.start()
    try:
        response = connection.getresponse()
        read = response.read(max_bytes + 1)
    finally:
        watch.cancel()
    if len(read) > max_bytes and method == "GET":
        raise ValueError("the answer is too long")
    return Answered(response.status, dict(response.getheaders()), read[:max_bytes])


def _patience(connection: http.client.HTTPConnection, ends: float) -> None:
    connection.sock.settimeout(max(0.05, ends - time.monotonic()))


def _hang_up(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        connected.close()
