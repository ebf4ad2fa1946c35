"""Servers are restarted one after the other, and nobody notices."""

import os
import signal
import threading
import time
from base64 import b64encode
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.faults.processes import wait_until_ready
from tests.outages.running import Running, running
from tests.support.spec import spec
from tests.support.world import Rp


class Traffic:
    """Some who ask all the time, as through a proxy: one server, or the other when nobody
    listens there. What was begun and not answered is a failure.
    """

    def __init__(self, op: Running, rp: Rp, threads: int = 3) -> None:
        basic = b64encode(f"{rp.client_id}:{rp.secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}"}
        self._headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._op = op
        self.seen: Counter[str] = Counter()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        while not self._over.is_set():
            number += 1
            self.seen[self._try(number)] += 1

    def _try(self, number: int) -> str:
        for turn in range(len(self._op.ports)):
            port = self._op.ports[(number + turn) % len(self._op.ports)]
            line = HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                line.connect()
            except ConnectionRefusedError:
                continue
            try:
                line.request("POST", "/token", "grant_type=client_credentials", self._headers)
                return str(line.getresponse().status)
            except (OSError, HTTPException) as error:
                return repr(error)
            finally:
                line.close()
        return "nobody listens"


@pytest.mark.slow
@pytest.mark.timeout(180)
@spec("F-13")
def test_servers_are_restarted_one_by_one_and_no_request_fails(tmp_path: Path) -> None:
    with running(tmp_path, servers=2) as op:
        traffic = Traffic(op, op.world.machine(grant_types=["client_credentials"]))
        took = []
        for server, port in zip(op.servers, op.ports, strict=True):
            time.sleep(0.5)
            began = time.monotonic()
            os.kill(server.child.pid, signal.SIGTERM)
            server.child.wait(20)
            took.append(time.monotonic() - began)
            server.start()
            wait_until_ready(port)
        traffic.end()

    print(f"{traffic.seen['200']} answered, longest drain {max(took):.2f} s")
    assert set(traffic.seen) == {"200"}, traffic.seen
    assert traffic.seen["200"] > 100
    assert max(took) < 12


@pytest.mark.slow
@pytest.mark.timeout(120)
@spec("F-13")
def test_one_server_takes_fresh_processes_and_no_request_fails(tmp_path: Path) -> None:
    with running(tmp_path, IDP_SERVER__WORKERS="2") as op:
        traffic = Traffic(op, op.world.machine(grant_types=["client_credentials"]))
        server = op.servers[0]
        before = set(server.workers())
        time.sleep(0.5)
        os.kill(server.child.pid, signal.SIGHUP)
        ends = time.monotonic() + 60
        while before & set(server.workers()) or len(server.workers()) < 2:
            assert time.monotonic() < ends
            time.sleep(0.1)
        time.sleep(0.5)
        traffic.end()

    print(f"{traffic.seen['200']} answered")
    assert set(traffic.seen) == {"200"}, traffic.seen
