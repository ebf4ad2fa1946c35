"""Too many connections, too much in them, and who sends it slowly: refused at once or cut off,
and afterwards everything is as before.
"""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.outages.running import Running, running
from tests.support.spec import spec
from tests.support.world import Rp

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Path(tmp_path_factory.mktemp("floods"))) as made:
        yield made


@pytest.fixture(scope="module")
def robot(op: Running) -> Rp:
    return op.world.machine(grant_types=["client_credentials"])


def resident(op: Running) -> int:
    """How much memory its processes hold, in bytes."""
    pages = sum(
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in op.servers[0].workers()
    )
    return pages * resource.getpagesize()


def sent(op: Running, raw: list[bytes]) -> bytes:
    """What is answered to these pieces; nothing when the server just closes."""
    said = b""
    with (
        socket.create_connection(("127.0.0.1", op.ports[0]), timeout=20) as line,
        suppress(ConnectionResetError, BrokenPipeError, TimeoutError),
    ):
        for part in raw:
            line.sendall(part)
        line.settimeout(5)
        while part := line.recv(65536):
            said += part
    return said


def post(length: int) -> bytes:
    return (
        b"POST /token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n" % length
    )


@pytest.mark.slow
@pytest.mark.timeout(120)
@spec("F-14", "EDG-03")
def test_what_is_far_too_much_is_refused_and_not_kept(op: Running, robot: Rp) -> None:
    fields = b"&".join(b"f%d=1" % number for number in range(100_000))
    huge = b"X-Huge: " + b"x" * MEGABYTE + b"\r\n"
    packed = b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    floods = {
        "headers": [b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", huge, b"\r\n"],
        "fields": [post(len(fields)), fields],
        "body": [post(200 * MEGABYTE), *([b"x" * MEGABYTE] * 200)],
        "packed": [post(4).partition(b"Content-Length")[0] + packed],
    }
    for flood in floods.values():
        sent(op, flood)
    before = resident(op)

    said = {name: sent(op, flood) for _ in range(3) for name, flood in floods.items()}

    grown = (resident(op) - before) / MEGABYTE
    print(f"memory grew by {grown:.1f} MB")
    for name, answer in said.items():
        assert answer == b"" or answer[9:10] == b"4", (name, answer[:200])
    assert said["fields"][9:12] == b"413"
    assert grown < 100
    assert op.post("/token", robot, grant_type="client_credentials").status_code == 200


@pytest.mark.slow
@pytest.mark.timeout(120)
@spec("F-15", "EDG-04")
def test_when_there_are_no_connections_left_it_recovers_by_itself(op: Running, robot: Rp) -> None:
    open_now = max(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in op.servers[0].workers())
    with ExitStack() as held, op.limited(resource.RLIMIT_NOFILE, open_now + 24):
        for _ in range(120):
            line = socket.create_connection(("127.0.0.1", op.ports[0]), timeout=5)
            held.callback(line.close)
            with suppress(OSError):
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-")
        answers = [asked(op, robot) for _ in range(3)]
    began = time.monotonic()
    while asked(op, robot) != 200:
        assert time.monotonic() < began + 20
    recovered = time.monotonic() - began

    print(f"meanwhile {answers}, recovered after {recovered:.2f} s")
    assert set(answers) <= {0, 200, 503}
    assert recovered < 10


def asked(op: Running, rp: Rp) -> int:
    """What a good request is answered; 0 when nobody answers."""
    try:
        return op.post("/token", rp, timeout=3, grant_type="client_credentials").status_code
    except httpx.HTTPError:
        return 0
