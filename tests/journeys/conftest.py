"""The whole demo on free ports, and a real Chromium."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.chromium import chromium
from tests.support.services import free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "four random friendly words"

Open = Callable[..., BrowserContext]


@dataclass(frozen=True)
class Demo:
    """Where the parts of the demo are."""

    provider: str
    notes: str
    photos: str


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    yield from chromium()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1000, "height": 900})
    made.set_default_timeout(30_000)
    yield made
    made.close()


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Open]:
    """Browsers of their own, as many as a test wants."""
    made: list[BrowserContext] = []

    def opened(**options: Any) -> BrowserContext:
        context = browser.new_context(**options)
        context.set_default_timeout(15_000)
        made.append(context)
        return context

    yield opened
    for context in made:
        context.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Started as a newcomer would, in a folder with spaces in its name."""
    ports = [free_port() for _ in range(4)]
    names = ("IDP_PORT", "DEMO_PORT_A", "DEMO_PORT_B", "DEMO_API_PORT")
    data = tmp_path_factory.mktemp("the demo data")
    environ = os.environ | {n: str(p) for n, p in zip(names, ports, strict=True)}
    log = data / "demo.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "client_demo.run"],
            env=environ | {"IDP_DATA_DIR": str(data / "kept here")},
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    ends = time.monotonic() + 120
    while "Ctrl-C" not in log.read_text() and time.monotonic() < ends:
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)
    yield Demo(*(f"http://localhost:{port}" for port in ports[:3]))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    process.wait(30)
    for port in ports:
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{port}/", timeout=1)
