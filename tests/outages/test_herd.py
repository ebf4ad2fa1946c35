"""Everybody signs out in the same moment: whoever was told that it is done, is signed out."""

import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.outages.running import Running, running
from tests.support.race import at_real_time
from tests.support.spec import spec
from tests.support.world import Rp

SESSIONS, LINES, CALLERS = 24, 200, 48


class Herd:
    """Callers that wait for one another and then ask for everything at once. Who is told to
    come back does.
    """

    def __init__(self, op: Running, rp: Rp) -> None:
        self._op, self._rp = op, rp
        self.seen: Counter[int] = Counter()
        self.done: list[dict[str, Any]] = []
        self.took: list[float] = []
        self._gate = threading.Barrier(CALLERS)
        self._lock = threading.Lock()

    def runs(self, wanted: list[dict[str, Any]]) -> None:
        threads = [
            threading.Thread(target=self._work, args=(wanted[number::CALLERS],))
            for number in range(CALLERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, mine: list[dict[str, Any]]) -> None:
        self._gate.wait()
        for tokens in mine:
            began, status = time.monotonic(), 503
            while status == 503:
                status = self._ask(tokens)
                with self._lock:
                    self.seen[status] += 1
            with self._lock:
                self.took.append(time.monotonic() - began)
                if status in (200, 303):
                    self.done.append(tokens)

    def _ask(self, tokens: dict[str, Any]) -> int:
        line = HTTPConnection("127.0.0.1", self._op.ports[0], timeout=30)
        if "leaves" in tokens:
            line.request("GET", "/end_session?" + urlencode({"id_token_hint": tokens["id_token"]}))
        else:
            form = {"token": tokens["refresh_token"], "client_id": self._rp.client_id}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            line.request("POST", "/revoke", urlencode(form), headers)
        status = line.getresponse().status
        line.close()
        return status


@pytest.mark.slow
@pytest.mark.timeout(120)
@spec("F-21", "P1", "P2", "REV-05")
def test_of_all_who_sign_out_at_once_nobody_is_forgotten(tmp_path: Path) -> None:
    with running(tmp_path, IDP_SERVER__WORKERS="2") as op:
        rp = op.world.rp(token_endpoint_auth_method="none")
        at_real_time(op.world)
        wanted = [op.world.browser().tokens(rp) | {"leaves": True} for _ in range(SESSIONS)]
        stays = op.world.browser()
        wanted += [stays.tokens(rp) for _ in range(LINES)]
        spared = stays.tokens(rp)
        herd = Herd(op, rp)

        herd.runs(wanted)

        at_real_time(op.world)
        alive = [t for t in herd.done if rp.refresh(t["refresh_token"]).status_code == 200]
        took = sorted(herd.took)
        print(f"{dict(herd.seen)}, p50 {took[len(took) // 2]:.2f} s, slowest {took[-1]:.2f} s")
        assert alive == []
        assert len(herd.done) == len(wanted), herd.seen
        assert set(herd.seen) <= {200, 303, 503}
        assert rp.refresh(spared["refresh_token"]).status_code == 200
