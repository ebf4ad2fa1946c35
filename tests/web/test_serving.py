"""The production server: what is not HTTP is refused, and who is slow keeps nobody waiting."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import quantiles

import httpx
import pytest

from tests.domain.test_once import serve
from tests.support.services import free_port
from tests.support.spec import spec
from tests.support.world import make_world

FORM = b"grant_type=client_credentials"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where `idp serve` listens, on loopback."""
    data, chosen = Path(tmp_path_factory.mktemp("serving")), free_port()
    issuer = f"http://localhost:{chosen}"
    make_world(data, IDP_ISSUER=issuer).person()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("IDP_")} | {
        "IDP_DATA_DIR": str(data),
        "IDP_ISSUER": issuer,
        "IDP_PORT": str(chosen),
        "IDP_SECRET": "a secret that is only good for tests, and long",
    }
    server = serve(environ, chosen)
    yield chosen
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def says(port: int, raw: bytes, patience: float = 3) -> bytes:
    """What the server answers to these very bytes, until it closes or falls silent."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as line:
        line.sendall(raw)
        with suppress(TimeoutError, ConnectionResetError):
            while part := line.recv(65536):
                said += part
    return said


def post(*headers: bytes, body: bytes = FORM) -> bytes:
    kind = b"Content-Type: application/x-www-form-urlencoded"
    lines = [b"POST /token HTTP/1.1", b"Host: localhost", kind, *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


SMUGGLED = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.slow
@spec("EDG-05", "CVE-2024-1135", "CVE-2018-1000164")
@pytest.mark.parametrize(
    "raw",
    [
        post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=SMUGGLED),
        post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=SMUGGLED),
        post(b"Content-Length: 29", b"Content-Length: 5", body=FORM),
        post(b"Content-Length: 29, 5"),
        post(b"Content-Length: +29"),
        post(b"Content-Length: -1"),
        post(b"Content-Length : 29"),
        post(b"Transfer-Encoding: xchunked", body=SMUGGLED),
        post(b"Transfer-Encoding: chunked, identity", body=SMUGGLED),
        post(b"Transfer-Encoding: chunked", body=b"+5\r\nhello\r\n0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", body=b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        post(b"Content-Length: 29", b" folded: yes"),
        post(b"X-A: a\x00b", b"Content-Length: 29"),
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\nInjected: b\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n",
    ],
    ids=lambda raw: ascii(raw.partition(b"urlencoded\\r\\n")[2] or raw)[:60],
)
def test_two_readings_of_one_request_are_none(port: int, raw: bytes) -> None:
    said = says(port, raw)

    assert said.count(b"HTTP/1.") <= 1
    assert b"alive" not in said.partition(b"HTTP/1.")[2].partition(b"HTTP/1.")[2]
    assert b" 500 " not in said[:20]
    assert b"Traceback" not in said
    assert httpx.get(f"http://localhost:{port}/healthz").status_code == 200


@pytest.mark.slow
@spec("EDG-03")
@spec("F-14")
def test_headers_without_end_are_refused(port: int) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 900) for number in range(2000))

    said = says(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n")

    assert b" 200 " not in said[:20]
    assert httpx.get(f"http://localhost:{port}/healthz").status_code == 200


@pytest.mark.slow
@spec("EDG-04")
@spec("F-14")
def test_hundreds_who_never_finish_their_headers_do_not_slow_the_others(port: int) -> None:
    quiet = latencies(port)
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    for line in slow:
        line.sendall(b"GET / HTTP/1.1\r\nHo")

    busy = latencies(port)

    for line in slow:
        line.close()
    assert p99(busy) <= max(2 * p99(quiet), 0.25)


@pytest.mark.slow
@spec("EDG-04")
@spec("F-14")
def test_who_does_not_finish_the_headers_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=40) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHo")
        began = time.monotonic()
        with suppress(ConnectionResetError):
            while line.recv(65536):
                pass

    assert time.monotonic() - began <= 31


def latencies(port: int, count: int = 200) -> list[float]:
    """How long it takes to read the keys, again and again."""
    took = []
    with httpx.Client() as client:
        for _ in range(count):
            began = time.perf_counter()
            assert client.get(f"http://localhost:{port}/jwks.json").status_code == 200
            took.append(time.perf_counter() - began)
    return took


def p99(took: list[float]) -> float:
    return quantiles(took, n=100)[98]
