"""The front step: reads the settings, builds the provider, hangs the doors.

The one file that sees every floor, the one place where the settings are read, and the one
place where the clock on the wall is looked at.
"""

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from idp import web
from idp.crypto.dpop import Nonces
from idp.crypto.refresh import RefreshKey
from idp.crypto.secrets import derive_key
from idp.domain import Provider, unit
from idp.domain.accounts import Accounts
from idp.domain.clients import Clients
from idp.domain.codes import Codes
from idp.domain.deliveries import Deliveries
from idp.domain.events import Events
from idp.domain.feed import Feed
from idp.domain.grants import Grants
from idp.domain.issued import Issued, Listing, NoListing
from idp.domain.keys import Keys
from idp.domain.live import Live
from idp.domain.outbound import Outbound
from idp.domain.receipts import Receipts
from idp.domain.resources import Resources
from idp.domain.second_factors import SecondFactors
from idp.domain.sessions import Sessions
from idp.domain.sign_out import SignOuts
from idp.domain.signals import Signals
from idp.domain.streams import Streams
from idp.domain.throttle import Limit, Throttle
from idp.domain.tokens import Tokens
from idp.logs import configure_logs
from idp.settings import Settings, load
from idp.settings.sources import refuse_open_files
from idp.sinks import Courier
from idp.sinks.feed import RedisFeed
from idp.store import db
from idp.store.listing import RedisListing
from idp.store.redis import RedisVolatile, connect
from idp.store.volatile import SqlVolatile, Volatile
from idp.web.certificates import Shown

Clock = Callable[[], datetime]

HERE = Path(__file__).parent.parent
# Installed from a wheel they stand beside us under a name that is ours alone.
MIGRATIONS = next(p for p in (HERE / "idp_migrations", HERE / "migrations") if p.exists())


def wall_clock() -> datetime:
    """Now. Nobody else asks; everybody else is told."""
    return datetime.now(UTC)


def create_app(settings: Settings | None = None, clock: Clock = wall_clock) -> Flask:
    """The provider as a WSGI application."""
    settings = settings or load()
    configure_logs()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    master = _master_secret(settings)
    app = Flask("idp.web", static_url_path="/static")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.effective_database_url,
        SQLALCHEMY_ENGINE_OPTIONS={"max_overflow": 2 * settings.all_threads},
        SECRET_KEY=derive_key(master, "flask").hex(),
    )
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True)
    with app.app_context():
        provider, outbound = _assemble(settings, master)
    app.extensions["idp"] = provider
    app.extensions["idp.clock"] = clock
    app.extensions["idp.settings"] = settings
    app.extensions["idp.metrics_token"] = settings.metrics_token
    app.extensions["idp.courier"] = Courier(provider, unit.session(), outbound, clock)
    server = settings.server
    web.mount(
        app,
        provider,
        hops=server.trusted_proxies,
        networks=server.proxy_networks,
        shown=Shown(settings.mtls.source, settings.mtls.header, settings.mtls.networks),
    )
    return app


def _assemble(settings: Settings, master: bytes) -> tuple[Provider, Outbound]:
    """Every collection, handed what it needs and nothing more."""
    session = unit.session()
    rules = settings.rules()
    outbound = Outbound(
        frozenset(settings.outbound.allowed),
        settings.outbound.ca_bundle,
        at_once=max(1, settings.server.threads // 2),
    )
    live = Live(session)
    feed = Feed(session, db.engine, rules)
    if settings.redis_url:
        feed.publish = RedisFeed(connect(settings.redis_url), strict=rules.strict).publish
    receipts = Receipts(session, rules.receipt_kept)
    deliveries = Deliveries(session, receipts, rules)
    streams = Streams(
        session, deliveries, derive_key(master, "stream headers"), rules.stream_pollers
    )
    clients = Clients(session, derive_key(master, "client secrets"), outbound, feed, rules)
    signals = Signals(session, streams, clients, receipts, rules)
    events = Events(session, rules.events_kept, signals)
    nonces = Nonces(derive_key(master, "dpop nonces"))
    keys = Keys(session, derive_key(master, "signing keys"), nonces)
    tokens = Tokens(session, keys, live, Issued(session, _listing(settings)), feed, rules)
    factors = SecondFactors(session, derive_key(master, "second factors"))
    provider = Provider(
        rules=rules,
        accounts=Accounts(session, factors, rules),
        clients=clients,
        resources=Resources(session, feed, rules.resource_policies),
        sessions=Sessions(session, live, rules),
        grants=Grants(session, RefreshKey(derive_key(master, "refresh tokens")), rules),
        codes=Codes(session, derive_key(master, "user codes")),
        tokens=tokens,
        keys=keys,
        events=events,
        throttle=Throttle(_volatile(settings), _limits(settings)),
        sign_outs=SignOuts(
            session,
            receipts=receipts,
            deliveries=deliveries,
            events=events,
            tokens=tokens,
            feed=feed,
        ),
    )
    return provider, outbound


def _limits(settings: Settings) -> dict[str, Limit]:
    return {
        "registration": Limit(settings.registration.quota, timedelta(hours=1)),
        "address": Limit(settings.throttle.sign_ins, timedelta(minutes=10)),
    }


def _volatile(settings: Settings) -> Volatile:
    if settings.redis_url:
        return RedisVolatile.connect(settings.redis_url)
    return SqlVolatile(db.engine)


def _listing(settings: Settings) -> Listing:
    return RedisListing.connect(settings.redis_url) if settings.redis_url else NoListing()


def _master_secret(settings: Settings) -> bytes:
    """The secret that all keys are derived from. In development one is made and kept, readable
    by its owner only; everywhere else the operator brings it.
    """
    if settings.secret:
        return settings.secret.encode()
    path = settings.data_dir / "secret"
    fresh = secrets.token_urlsafe(48).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        refuse_open_files([path])
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(fresh)
    return fresh
