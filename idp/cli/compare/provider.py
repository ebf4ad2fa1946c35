"""The provider of the comparison: `idp serve` in processes of its own, and its operator."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from flask import Flask

from idp.app import create_app
from idp.cli.compare.calls import client
from idp.cli.compare.people import CALLBACK, PASSWORD, USERNAME, App
from idp.domain import Provider
from idp.settings import load
from idp.store import db

READY_WITHIN = 60.0
STOP_WITHIN = 10.0
SCOPES = {"notes:read": "Read your notes"}


class NotReady(Exception):
    """The provider did not start; its own words are on standard error."""


@dataclass
class Running:
    """A provider that serves, and the same provider at the operator's desk."""

    environ: dict[str, str]
    port: int
    process: "subprocess.Popen[bytes]"
    app: Flask
    account_id: str = ""

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def op(self) -> Provider:
        op: Provider = self.app.extensions["idp"]
        return op

    @property
    def now(self) -> datetime:
        now: datetime = self.app.extensions["idp.clock"]()
        return now

    def add_person(self) -> None:
        """The person of the scenario."""
        with self.app.app_context():
            self.account_id = self.op.accounts.create(USERNAME, PASSWORD, {}, self.now).id
            db.session.commit()

    def set_api(self, resource: str, policies: tuple[str, ...], lifetime: int | None) -> None:
        """Add the API, or change how long its tokens live."""
        with self.app.app_context():
            lives = timedelta(seconds=lifetime) if lifetime is not None else None
            self.op.resources.add(resource, resource, SCOPES, policies, self.now, lifetime=lives)
            db.session.commit()

    def add_client(self, name: str, resource: str, policies: tuple[str, ...]) -> App:
        """The app, which keeps a secret."""
        details = {
            "client_name": name,
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
        }
        with self.app.app_context():
            view, secret = self.op.clients.add(
                details, trusted=True, policies=policies, now=self.now
            )
            db.session.commit()
        return App(self.issuer, view.client_id, str(secret), resource, client())

    def add_guard(self, resource: str) -> tuple[str, str]:
        """What the guard of the API is called, and its secret."""
        details = {"client_name": resource, "grant_types": ["client_credentials"]}
        with self.app.app_context():
            view, secret = self.op.clients.add(details, serves=[resource], now=self.now)
            db.session.commit()
        return view.client_id, str(secret)

    def set_roles(self, resource: str, *roles: str) -> None:
        """What the person may do at the API from now on; answered means committed."""
        with self.app.app_context():
            self.op.resources.roles.set(
                self.account_id, resource, roles=roles, permissions=(), now=self.now
            )
            db.session.commit()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It takes connections, as the system does that for it, and answers nobody."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)


@contextmanager
def running(environ: Mapping[str, str], port: int) -> Iterator[Running]:
    """Migrate, serve, and end it all at the end of the block; raises `NotReady`."""
    env = dict(environ)
    command = [sys.executable, "-m", "idp.cli"]
    subprocess.run([*command, "migrate"], env=env, check=True, capture_output=True)
    process = subprocess.Popen(
        [*command, "serve"],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_ready(process, port)
        app = create_app(load(environ=env))
        made = Running(env, port, process, app)
        made.add_person()
        yield made
        with app.app_context():
            db.engine.dispose()
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """A port nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def resource_of(policy: str) -> str:
    """What the API of one policy is called; nobody ever connects to this address."""
    return f"https://{policy.replace('_', '-')}-{secrets.token_hex(2)}.example"


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    ends = time.monotonic() + READY_WITHIN
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx.get(f"http://localhost:{port}/readyz", trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise NotReady(f"the provider did not start at port {port}")
