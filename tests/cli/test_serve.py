"""`idp serve`: several processes are one provider, also to whoever reads its numbers."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.services import free_port

TOKEN = "a token that only the monitoring has, and long"
COUNT = re.compile(r'idp_requests_total\{endpoint="/jwks.json",.*status="200"\} (\S+)')


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Two processes at one address."""
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
    yield f"http://127.0.0.1:{port}"
    os.killpg(served.pid, signal.SIGTERM)
    served.wait(20)


@pytest.mark.slow
def test_whichever_process_is_asked_tells_the_numbers_of_all(url: str) -> None:
    for _ in range(20):
        httpx.get(f"{url}/jwks.json")

    told = [
        httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
        for _ in range(8)
    ]

    assert [float(found) for text in told for found in COUNT.findall(text)] == [20] * 8
