"""The servers under test: the provider as `idp serve` starts it, and the yardstick beside it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processor import used_by
from bench.stock import Stock
from bench.wire import Connection, get
from tests.support.services import Postgres, free_port, start_postgres

ROOT = Path(__file__).parents[1]
WORKERS, THREADS = 2, 4
SLOWEST_START = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, the root of its processes, and its database's, if any."""

    name: str
    port: int
    pid: int
    database_pid: int | None = None

    def processor(self) -> tuple[float, float]:
        """Seconds of processor time so far: of the server, and of its database."""
        database = used_by(self.database_pid) if self.database_pid is not None else 0.0
        return used_by(self.pid), database


@contextmanager
def hello_server() -> Iterator[Server]:
    """A bare Flask route on the same web server with the same number of workers."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--no-access-log"]
    with _running([*command, "bench.hello:app"], dict(os.environ), port, "/") as pid:
        yield Server("hello", port, pid)


@contextmanager
def provider(
    store: str, folder: Path, more: Mapping[str, str] | None = None
) -> Iterator[tuple[Server, Stock]]:
    """A provider on a store of its own, durable as in production, and its stock."""
    postgres = start_postgres() if store == "postgresql" else None
    try:
        port = free_port()
        environ = _environ(port, folder, postgres) | dict(more or {})
        idp = [sys.executable, "-m", "idp.cli"]
        subprocess.run([*idp, "migrate"], check=True, env=environ, capture_output=True, cwd=ROOT)
        stock = Stock(environ)
        with _running([*idp, "serve"], environ, port, "/readyz") as pid:
            process = postgres.process if postgres is not None else None
            yield Server(store, port, pid, process.pid if process is not None else None), stock
        stock.close()
    finally:
        if postgres is not None:
            postgres.stop()


def _environ(port: int, folder: Path, postgres: Postgres | None) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    given |= {
        "IDP_DATA_DIR": str(folder),
        "IDP_PORT": str(port),
        "IDP_SERVER__WORKERS": str(WORKERS),
        "IDP_SERVER__THREADS": str(THREADS),
        "IDP_WORKER__EMBEDDED": "false",
        "IDP_LIFETIMES__ACCESS_TOKEN": "3600",
    }
    if postgres is not None:
        given["IDP_DATABASE_URL"] = postgres.fresh()
    return given


@contextmanager
def _running(command: list[str], environ: Mapping[str, str], port: int, path: str) -> Iterator[int]:
    process = subprocess.Popen(
        command, env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        _wait(process, port, path)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _wait(process: "subprocess.Popen[bytes]", port: int, path: str) -> None:
    ends = time.monotonic() + SLOWEST_START
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once with exit code {process.returncode}")
        try:
            connection = Connection(port)
        except OSError:
            time.sleep(0.1)
            continue
        try:
            if connection.ask(get(path)).status == 200:
                return
        finally:
            connection.close()
    raise RuntimeError("the server does not answer")
