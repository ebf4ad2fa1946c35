"""`make certify-op`: a provider for the certification, on https, from nothing, until Ctrl-C."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from urllib.error import URLError
from urllib.request import urlopen

from flask_migrate import upgrade

from certify import clients, people, suite
from certify.front import context, listen
from certify.setup import Certificates, Setup, certificates, from_environment, settings, trusted
from idp.app import create_app
from idp.settings import load
from idp.store import db

SECONDS_TO_START = 60.0


def main() -> None:
    """Make everything anew, start it, and say where it is."""
    setup = from_environment()
    shutil.rmtree(setup.folder, ignore_errors=True)
    setup.folder.mkdir(parents=True, mode=0o700)
    made = certificates(setup)
    environ = settings(setup)
    files = furnish(setup, made, environ)
    inner = subprocess.Popen([sys.executable, "-m", "certify.inner"], env=os.environ | environ)
    try:
        _wait(setup, inner)
        asyncio.run(_front(setup, made, files))
    finally:
        inner.send_signal(signal.SIGTERM)
        inner.wait()


def furnish(setup: Setup, made: Certificates, environ: Mapping[str, str]) -> list[str]:
    """Tables, keys, people, clients, and the files the suite is told everything with."""
    app = create_app(load(environ=environ))
    now = app.extensions["idp.clock"]()
    with app.app_context():
        upgrade()
        op = app.extensions["idp"]
        op.keys.ensure(now)
        people.invite(op, now)
        told = clients.add(op, setup, made, now)
        db.session.commit()
        db.engine.dispose()
    return suite.write(setup, made, told)


def _wait(setup: Setup, inner: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            urlopen(f"http://127.0.0.1:{setup.inner_port}/readyz", timeout=2).close()
        except (URLError, OSError):
            if inner.poll() is not None or time.monotonic() > ends:
                raise SystemExit("the provider did not start") from None
            time.sleep(0.1)
        else:
            return


async def _front(setup: Setup, made: Certificates, files: list[str]) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    plain = context(made.server)
    asking = context(made.server, trusted(setup))
    servers = [
        await listen(setup.address, setup.port, plain, setup.inner_port),
        await listen(setup.address, setup.mtls_port, asking, setup.inner_port),
    ]
    print(_greeting(setup, files), flush=True)
    await stop.wait()
    for server in servers:
        server.close()


def _greeting(setup: Setup, files: list[str]) -> str:
    folder = setup.folder
    lines = [
        f"provider           {setup.issuer}",
        f"with certificates  {setup.mtls_origin}",
        f"authority          {folder / 'tls' / 'ca.pem'}",
        f"the suite          https://{setup.suite}, alias {setup.alias}",
        f"people             {', '.join(people.PEOPLE)}; password: {people.PASSWORD}",
        *(f"for the suite      {folder / 'suite' / name}" for name in files),
        "Ctrl-C ends it; nothing is kept.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
