"""`idp serve`: several processes are one provider, also to whoever reads its numbers."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.services import free_port
from tests.support.spec import spec

TOKEN = "a token that only the monitoring has, and long"
COUNT = re.compile(r'idp_requests_total\{endpoint="/jwks.json",.*status="200"\} (\S+)')


@dataclass
class Serving:
    """Two processes at one address."""

    url: str
    pid: int

    def workers(self) -> set[int]:
        """Those of its processes that answer."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        return {pid for pid, command in commands.items() if b"resource_tracker" not in command}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("IDP_")}
    env = kept | {"IDP_DATA_DIR": str(tmp_path), "IDP_PORT": str(port)}
    env |= {"IDP_METRICS_TOKEN": TOKEN, "IDP_SERVER__WORKERS": "2"}
    command = [sys.executable, "-m", "idp.cli"]
    subprocess.run([*command, "migrate"], env=env, check=True, capture_output=True)
    served = subprocess.Popen([*command, "serve"], env=env, start_new_session=True)
    ends = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
        except httpx.HTTPError:
            assert served.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.2)
        else:
            break
    yield Serving(f"http://127.0.0.1:{port}", served.pid)
    with suppress(ProcessLookupError):
        os.killpg(served.pid, signal.SIGTERM)
    served.wait(20)


@pytest.mark.slow
def test_whichever_process_is_asked_tells_the_numbers_of_all(serving: Serving) -> None:
    url = serving.url
    for _ in range(20):
        httpx.get(f"{url}/jwks.json")

    told = [
        httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
        for _ in range(8)
    ]

    assert [float(found) for text in told for found in COUNT.findall(text)] == [20] * 8


@pytest.mark.slow
@spec("F-01")
def test_a_process_that_dies_is_replaced_while_the_other_answers(serving: Serving) -> None:
    before = serving.workers()

    os.kill(min(before), signal.SIGKILL)
    ends = time.monotonic() + 30
    while len(serving.workers()) < 2 or serving.workers() == before:
        assert time.monotonic() < ends, "it is not replaced"
        time.sleep(0.05)
    answers = [httpx.get(f"{serving.url}/jwks.json").status_code for _ in range(20)]

    assert answers == [200] * 20


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_it_ends_when_told_to_even_while_it_replaces_a_process(
    serving: Serving, wait: float
) -> None:
    for pid in serving.workers():
        os.kill(pid, signal.SIGTERM)
    time.sleep(wait)

    os.killpg(serving.pid, signal.SIGTERM)

    _wait_until_over(serving.pid)


def _wait_until_over(group: int) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            os.waitpid(-group, os.WNOHANG)
            os.killpg(group, 0)
        except (ChildProcessError, ProcessLookupError):
            return
        time.sleep(0.1)
    raise AssertionError("a process of the server is still there")
