"""`idp serve`, `idp worker`, `idp migrate`: the running provider."""

import atexit
import os
import shutil
import signal
import socket
import threading
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import click
from flask_migrate import upgrade
from sqlalchemy import inspect

from idp.cli.frame import make_app, refuse, refuse_another_secret
from idp.settings import Settings
from idp.sinks import Courier
from idp.store import db
from idp.web import metrics

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own, for us alone, is made in it


@click.command()
def migrate() -> None:
    """Bring the database to the newest shape. Safe to run again."""
    app = make_app()
    with app.app_context():
        upgrade()
        op, now = app.extensions["idp"], app.extensions["idp.clock"]()
        refuse_another_secret(op, now)
        op.keys.ensure(now)
        db.session.commit()
    click.echo("the database is up to date")


@click.command()
@click.option("--once", is_flag=True, help="Do what is due, wait for the answers, and end.")
def worker(once: bool) -> None:
    """Do the background work: notices to apps, expiry, clean-up, keys."""
    app = make_app()
    courier: Courier = app.extensions["idp.courier"]
    with app.app_context():
        refuse_another_secret(app.extensions["idp"], app.extensions["idp.clock"]())
        if once:
            courier.keep_up()
            click.echo(f"{courier.run_once()} tries made")
            return
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        courier.run(stop)


@click.command()
@click.option("--port", type=int, help="Default: the setting `port`.")
def serve(port: int | None) -> None:
    """Start the provider on its production web server (granian)."""
    app = make_app()
    settings: Settings = app.extensions["idp.settings"]
    with app.app_context():
        if not inspect(db.engine).has_table("account"):
            raise refuse("the database is empty; run `idp migrate` first")
        refuse_another_secret(app.extensions["idp"], app.extensions["idp.clock"]())
        db.session.remove()
        db.engine.dispose()
    _refuse_a_taken_port(settings.server.host, port or settings.port)
    config = click.get_current_context().find_root().params.get("config")
    if config:
        os.environ["IDP_CONFIG"] = os.path.abspath(config)
    from granian.constants import Interfaces  # noqa: PLC0415 - only this command needs a server

    from idp.cli.web_server import PATIENCE, WebServer  # noqa: PLC0415

    if settings.server.workers > 1:
        os.environ[metrics.SHARED] = _counted_in(settings.data_dir, port or settings.port)
    WebServer(
        "idp.serving:app",
        address=settings.server.host,
        port=port or settings.port,
        interface=Interfaces.WSGI,
        workers=settings.server.workers,
        blocking_threads=settings.all_threads,
        respawn_failed_workers=True,  # one that dies is replaced; the others go on meanwhile
        respawn_interval=0.1,
        workers_kill_timeout=PATIENCE,
        log_access=False,
        websockets=False,
    ).serve()


def _counted_in(data_dir: Path, port: int) -> str:
    """A folder in which the processes of this server count together, from nothing.

    It is in memory where there is such a place: its files are mapped, and on a full disk a
    number that is written would end the process. What a killed server of ours left there goes.
    """
    if not os.access(MEMORY, os.W_OK):
        folder = data_dir / f"metrics-{port}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return str(folder.absolute())
    ours = sha256(str(data_dir.absolute()).encode()).hexdigest()[:16]
    name = f"idp-{os.getuid()}-{ours}-{port}-"
    for left in MEMORY.glob(f"{name}*"):
        if left.lstat().st_uid == os.getuid():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=name, dir=MEMORY))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(folder)


def _refuse_a_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise refuse(f"port {port} is in use; set IDP_PORT to a free one") from None
