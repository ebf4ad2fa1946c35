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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 5.0
ANSWER_BYTES = 4 * 1024
JSON_BYTES = 64 * 1024
PORT = 443
SIXTO4 = ipaddress.ip_network("2002::/16")
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
SHARED = ipaddress.ip_network("100.64.0.0/10")
PROTOCOL_ASSIGNMENTS = ipaddress.ip_network("192.0.0.0/24")
FORM_TYPE = "application/x-www-form-urlencoded"
USER_AGENT = "idp (OpenID Provider)"
FETCHES_AT_ONCE = 2
WAIT_FOR_TURN_SECONDS = 0.5
LOOK_UPS_AT_ONCE = 32
MOST_ADDRESSES = 4

Resolve = Callable[[str, int], Sequence[str]]
Dial = Callable[[str, int, float], socket.socket]


class OutboundRefused(Exception):
    """It could not be fetched. The reason is not told, so that nobody can map our network."""

    def __init__(self) -> None:
        super().__init__("the address could not be reached")


class OutboundBusy(OutboundRefused):
    """Nothing was tried: too many others are being fetched at this moment."""


def look_up(host: str, port: int) -> Sequence[str]:
    """Every address a name has."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


def dial(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to exactly this address."""
    return socket.create_connection((address, port), timeout=seconds)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the other side said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """One header, however its name is spelled; empty where there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")

    def json(self) -> object:
        """The body as JSON; raises `OutboundRefused` for anything else."""
        try:
            document: object = json.loads(self.body)
        except (ValueError, RecursionError):
            raise OutboundRefused from None
        return document


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
    """Fetches what clients point us to. `allowed` lists `host:port` places for development.

    A document is waited for by at most `at_once` requests of a process; the others go on
    without it, so that clients that never answer do not keep everybody else waiting (SSR-08).
    """

    def __init__(
        self,
        allowed: frozenset[str] = frozenset(),
        ca_bundle: Path | None = None,
        *,
        at_once: int = FETCHES_AT_ONCE,
        resolve: Resolve = look_up,
        dial: Dial = dial,
    ) -> None:
        self._allowed = allowed
        self._tls = _trusting(ca_bundle)
        self._turns = threading.BoundedSemaphore(at_once)
        self._look_ups = ThreadPoolExecutor(LOOK_UPS_AT_ONCE, thread_name_prefix="look-up")
        self._resolve = resolve
        self._dial = dial

    def get_json(self, url: str, max_bytes: int = JSON_BYTES) -> object:
        """The JSON document at an address; raises `OutboundRefused` for anything else."""
        return self.fetch(url, max_bytes).json()

    def get_text(self, url: str, max_bytes: int) -> str:
        """The ASCII text at an address; raises `OutboundRefused` for anything else."""
        try:
            return self.fetch(url, max_bytes).body.decode("ascii").strip()
        except ValueError:
            raise OutboundRefused from None

    def fetch(self, url: str, max_bytes: int) -> Answered:
        """What is at an address, if there is something; raises `OutboundRefused`."""
        if not self._turns.acquire(timeout=WAIT_FOR_TURN_SECONDS):
            raise OutboundBusy
        try:
            answered = self._exchange("GET", url, None, TOTAL_SECONDS, max_bytes)
        finally:
            self._turns.release()
        if answered.status != 200:  # noqa: PLR2004
            raise OutboundRefused
        return answered

    def post_form(self, url: str, form: Mapping[str, str], deadline: float) -> Answered:
        """Post a form; any status is an answer, and only the beginning of it is read."""
        return self.post(url, urlencode(form).encode(), {"Content-Type": FORM_TYPE}, deadline)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], deadline: float) -> Answered:
        """Post anything; any status is an answer, and only the beginning of it is read."""
        return self._exchange("POST", url, body, deadline, ANSWER_BYTES, headers)

    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        deadline: float,
        max_bytes: int,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answered:
        target = self._target(url)
        ends = time.monotonic() + deadline
        try:
            addresses = self._addresses(target, ends)
            with self._connected(target, addresses, ends) as connection:
                return _ask(connection, method, target.path, body, headers, max_bytes)
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

    def _addresses(self, target: _Target, ends: float) -> Sequence[str]:
        """What the name means now; if one of its addresses is not public, none is used."""
        found = self._look_ups.submit(self._resolve, target.host, target.port)
        addresses = found.result(timeout=_left(ends))
        if target.place not in self._allowed and not all(map(is_public, addresses)):
            raise OutboundRefused
        return list(dict.fromkeys(addresses))[:MOST_ADDRESSES]

    @contextmanager
    def _connected(
        self, target: _Target, addresses: Sequence[str], ends: float
    ) -> Iterator[http.client.HTTPConnection]:
        """A connection that is cut when the deadline comes, whatever it is doing then."""
        connected = self._first_that_answers(addresses, target.port, ends)
        try:
            connected.settimeout(_left(ends))
            if target.scheme == "https":
                connected = self._tls.wrap_socket(
                    connected, server_hostname=target.host, do_handshake_on_connect=False
                )
            with _cut_at(ends, connected):
                if isinstance(connected, ssl.SSLSocket):
                    connected.do_handshake()
                connection = http.client.HTTPConnection(target.host, target.port)
                connection.sock = connected
                yield connection
        finally:
            connected.close()

    def _first_that_answers(
        self, addresses: Sequence[str], port: int, ends: float
    ) -> socket.socket:
        """Connect to one of the addresses that were checked, and to no other."""
        problem: OSError = OSError("no address")
        until = min(ends, time.monotonic() + CONNECT_SECONDS)
        for number, address in enumerate(addresses):
            try:
                return self._dial(address, port, _left(until) / (len(addresses) - number))
            except OSError as error:
                problem = error
        raise problem


@cache
def _trusting(ca_bundle: Path | None) -> ssl.SSLContext:
    """Whom TLS trusts; reading a system's certificates takes a while."""
    return ssl.create_default_context(cafile=str(ca_bundle) if ca_bundle else None)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet (SSR-01).

    Of IPv6 only global unicast does: what lies outside is local, or an IPv4 address in other
    clothes (NAT64, IPv4-compatible), some of which Python takes to be global.
    """
    try:
        parsed = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed not in GLOBAL_UNICAST or parsed in SIXTO4:
            return False
    elif parsed in SHARED or parsed in PROTOCOL_ASSIGNMENTS:
        return False
    return parsed.is_global and not parsed.is_multicast


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
    max_bytes: int,
) -> Answered:
    """One request and the beginning of its answer."""
    usual = {"User-Agent": USER_AGENT, "Accept": "application/json", "Connection": "close"}
    connection.request(method, path, body=body, headers=usual | dict(headers))
    response = connection.getresponse()
    read = response.read(max_bytes + 1)
    if len(read) > max_bytes and method == "GET":
        raise ValueError("the answer is too long")
    return Answered(response.status, dict(response.getheaders()), read[:max_bytes])


@contextmanager
def _cut_at(ends: float, connected: socket.socket) -> Iterator[None]:
    watch = threading.Timer(_left(ends), _hang_up, [connected])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _left(ends: float) -> float:
    """The seconds left, and a moment at least: a timeout of nothing would be none."""
    return max(0.05, ends - time.monotonic())


def _hang_up(connected: socket.socket) -> None:
    """End the connection under whoever reads from it; TLS is not asked to say goodbye."""
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        return
