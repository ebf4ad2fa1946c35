"""Everything a run needs: two providers on one database, the worker, three API servers, an app
that hears of sign-outs, people and their apps.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idp.app import create_app
from idp.settings import load
from idp.store import db
from tests.faults.history import Recorder
from tests.faults.plan import (
    APIS,
    CALLBACK,
    GRACE,
    LIFETIME,
    MAX_SILENCE,
    SHORT,
    App,
    Plan,
    audience,
)
from tests.faults.processes import ROOT, Process, wait_until_ready
from tests.faults.receiver import Receiver
from tests.support.services import Postgres, Redis, free_port, start_postgres, start_redis

WORKERS = 2
SIGNS_OUT = {"grant_types": ["authorization_code", "refresh_token"], "redirect_uris": [CALLBACK]}


@dataclass
class House:
    """What runs. `worker` is None where the providers do its work."""

    plan: Plan
    providers: list[Process] = field(default_factory=list)
    nodes: list[Process] = field(default_factory=list)
    actors: list[Process] = field(default_factory=list)
    worker: Process | None = None
    postgres: Postgres | None = None
    redis: Redis | None = None


@contextmanager
def house(
    store: str,
    folder: Path,
    seed: int,
    recorder: Recorder,
    *,
    actors: int = 4,
    nodes: int = 3,
    grace: int = GRACE,
    apis: Mapping[str, tuple[str, ...]] = APIS,
    strict: bool = False,
) -> Iterator[House]:
    """All of it, on `sqlite`, or on `postgresql` with Redis."""
    with ExitStack() as stack:
        built = House(_plan(folder, actors, nodes, grace))
        built.plan.strict = strict
        built.plan.environ["IDP_SIGN_OUT__STRICT"] = str(strict).lower()
        if store == "postgresql":
            _services(built, stack)
        receiver = stack.enter_context(Receiver(recorder).serving())
        built.plan.environ["IDP_OUTBOUND__ALLOWED"] = f"localhost:{receiver.port}"
        idp = [sys.executable, "-m", "idp.cli", "migrate"]
        subprocess.run(idp, env=built.plan.environ, cwd=ROOT, check=True, capture_output=True)
        _fill(built.plan, receiver, apis)
        built.plan.save(folder / "plan.json")
        receiver.trusts(built.plan)
        _start(built, stack, folder, seed)
        yield built


def _plan(folder: Path, actors: int, nodes: int, grace: int) -> Plan:
    ports = [free_port() for _ in range(2 + nodes)]
    issuer = f"http://localhost:{ports[0]}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    environ = kept | {
        "IDP_DATA_DIR": str(folder),
        "IDP_ISSUER": issuer,
        "IDP_SECRET": "a secret that is only good for tests, and long",
        "IDP_SERVER__WORKERS": str(WORKERS),
        "IDP_LIFETIMES__ACCESS_TOKEN": str(LIFETIME),
        "IDP_LIFETIMES__ROTATION_GRACE": str(grace),
        "IDP_FEED__MAX_SILENCE": str(MAX_SILENCE),
    }
    return Plan(str(folder), environ, issuer, ports[:2], ports[2:], actors=actors, grace=grace)


def _services(built: House, stack: ExitStack) -> None:
    built.postgres = start_postgres()
    stack.callback(built.postgres.stop)
    built.redis = start_redis()
    stack.callback(built.redis.stop)
    built.plan.redis_url = built.redis.url
    built.plan.environ |= {
        "IDP_DATABASE_URL": built.postgres.fresh(),
        "IDP_REDIS_URL": built.redis.url,
        "IDP_WORKER__EMBEDDED": "false",
    }


def _fill(plan: Plan, receiver: Receiver, apis: Mapping[str, tuple[str, ...]]) -> None:
    """APIs, apps and people, through the domain."""
    app, now = create_app(load(environ=plan.environ)), datetime.now(UTC)
    op = app.extensions["idp"]
    with app.app_context():
        for api, policies in apis.items():
            lifetime = timedelta(seconds=SHORT) if api == "short" else None
            scopes = {f"{api}:use": f"Use {api}"}
            op.resources.add(audience(api), api, scopes, policies, now, lifetime=lifetime)
        details = {"client_name": "API", "grant_types": ["client_credentials"]}
        view, secret = op.clients.add(details, serves=map(audience, apis), now=now)
        plan.api = (view.client_id, secret)
        public = {"token_endpoint_auth_method": "none"}
        for name, policies, more in (
            ("notes", ("rotation",), {"backchannel_logout_uri": receiver.url("notes")}),
            ("mail", ("rotation", "sso"), {"backchannel_logout_uri": receiver.url("mail")}),
            ("phone", ("rotation", "device_bound"), public),
            ("page", ("rotation",), public),
        ):
            details = {"client_name": name, **SIGNS_OUT, **more}
            view, secret = op.clients.add(details, trusted=True, policies=policies, now=now)
            bound = "device_bound" in policies
            grace = plan.grace if secret or bound else 0
            plan.apps.append(App(name, view.client_id, secret, bound, grace))
        for number in range(max(1, plan.actors) * 6):
            plan.people.append(op.accounts.create(f"person{number}", None, {}, now).id)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def _start(built: House, stack: ExitStack, folder: Path, seed: int) -> None:
    plan, environ = built.plan, built.plan.environ

    def run(name: str, *module: str, **more: str) -> Process:
        speaks = module[0].startswith("tests.")
        process = Process(module, environ | more, folder / f"{name}.log", speaks=speaks)
        stack.callback(process.end)
        return process

    for port in plan.providers:
        built.providers.append(run(f"op-{port}", "idp.cli", "serve", IDP_PORT=str(port)))
    for port in plan.providers:
        wait_until_ready(port)
    if built.postgres is not None:
        built.worker = run("worker", "idp.cli", "worker")
    file = str(folder / "plan.json")
    for number, port in enumerate(plan.nodes):
        built.nodes.append(run(f"node-{number}", "tests.faults.node", file, str(port)))
    for number in range(plan.actors):
        actor = run(f"actor-{number}", "tests.faults.actor", file, str(number), str(seed))
        built.actors.append(actor)
    for process in [*built.nodes, *built.actors]:
        process.hear("ready")
