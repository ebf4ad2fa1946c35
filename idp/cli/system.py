"""`idp key`, `idp deliveries`, `idp doctor`: the provider itself."""

import sys

import click
from sqlalchemy import text

from idp.cli.frame import Desk, at_desk, json_option, refuse, refuse_another_secret, show
from idp.domain.deliveries import STATES
from idp.settings import Settings
from idp.store import db
from idp.store.redis import RedisVolatile


@click.group()
def key() -> None:
    """Signing keys: next, current, retired."""


@key.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys and the part each plays now."""
    with at_desk() as desk:
        _show_keys(desk, as_json)


@key.command("rotate")
@click.option("--alg", help="Only this algorithm, e.g. ES256; default: all.")
@json_option
def rotate(alg: str | None, as_json: bool) -> None:
    """Let the next key sign as soon as everybody can know it: at once, or in ten minutes."""
    with at_desk() as desk:
        refuse_another_secret(desk.op, desk.now)
        try:
            desk.op.keys.rotate(alg, desk.now)
        except ValueError as error:
            raise refuse(str(error)) from None
        desk.op.events.record("KeyRotated", desk.now, alg=alg, by="operator")
        desk.commit()
        _show_keys(desk, as_json)


@key.command("ensure")
@json_option
def ensure(as_json: bool) -> None:
    """Create the keys that are missing (the worker does this by itself)."""
    with at_desk() as desk:
        refuse_another_secret(desk.op, desk.now)
        desk.op.keys.ensure(desk.now)
        desk.commit()
        _show_keys(desk, as_json)


@key.command("revoke", context_settings={"ignore_unknown_options": True})
@click.argument("kid")
@json_option
def revoke(kid: str, as_json: bool) -> None:
    """Emergency: a key that was stolen counts no more; whoever holds what it signed signs in again.

    Example: idp key revoke KID    (see `idp key list`)
    """
    with at_desk() as desk:
        refuse_another_secret(desk.op, desk.now)
        if not desk.op.keys.revoke(kid, desk.now):
            raise refuse(f"there is no key {kid!r}")
        desk.op.events.record("KeyRevoked", desk.now, kid=kid, by="operator")
        desk.commit()
        _show_keys(desk, as_json)


@click.group()
def deliveries() -> None:
    """Notices to apps and receivers of events: waiting, held, confirmed, refused, dead."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(STATES))
@click.option("--limit", default=100, show_default=True)
@json_option
def list_deliveries(state: str | None, limit: int, as_json: bool) -> None:
    """List notices, the newest first."""
    with at_desk() as desk:
        rows = [
            {
                "id": row.id,
                "sink": row.sink,
                "client_id": row.client_id,
                "state": row.state,
                "tries": row.tries,
                "due": row.due_at if row.state == "waiting" else None,
                "last_answer": row.last_answer,
                "address": row.address,
            }
            for row in desk.op.sign_outs.deliveries.newest(state=state, limit=limit)
        ]
        show(rows, as_json=as_json)


@deliveries.command("resend")
@click.argument("delivery_id", type=int)
@json_option
def resend(delivery_id: int, as_json: bool) -> None:
    """Try a notice again from the start."""
    with at_desk() as desk:
        if not desk.op.sign_outs.deliveries.resend(delivery_id, desk.now):
            raise refuse(f"there is no delivery {delivery_id}")
        desk.commit()
        show([{"id": delivery_id, "state": "waiting"}], as_json=as_json)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look for settings that are allowed but unwise. Exit code 1 when something is found."""
    with at_desk() as desk:
        settings: Settings = desk.app.extensions["idp.settings"]
        findings = [
            {"id": name, "finding": finding, "fix": fix}
            for name, found, finding, fix in _checks(settings)
            if found
        ]
    show(findings or [{"id": "ok", "finding": "nothing found", "fix": None}], as_json=as_json)
    if findings:
        sys.exit(1)


def _checks(settings: Settings) -> list[tuple[str, bool, str, str]]:
    return [
        (
            "W001",
            settings.pkce_required != "all",
            "confidential OpenID clients may leave out PKCE",
            'set pkce_required = "all" when every client can do it',
        ),
        (
            "W002",
            settings.registration.mode == "open",
            "anybody may register a client",
            'set registration.mode = "token"',
        ),
        (
            "W003",
            settings.loopback,
            "the issuer is a loopback http address, for development only",
            "set issuer to an https address",
        ),
        (
            "W004",
            settings.loopback and not settings.metrics_token,
            "everybody on this machine may read /metrics",
            "set metrics_token (or IDP_METRICS_TOKEN_FILE) to a secret of 32 characters or more",
        ),
        (
            "E001",
            not _durable(),
            "the database may lose what it has confirmed (synchronous_commit is off)",
            "set synchronous_commit = on for the role of the provider",
        ),
        (
            "E002",
            bool(settings.redis_url) and not RedisVolatile.connect(settings.redis_url).answers(),
            "Redis does not answer; each process counts for itself, and stricter",
            "start it, or correct redis_url",
        ),
    ]


def _durable() -> bool:
    """PostgreSQL must have synced what it says is committed; SQLite is set by us."""
    if db.engine.dialect.name != "postgresql":
        return True
    return bool(db.session.scalar(text("SHOW synchronous_commit")) != "off")


def _show_keys(desk: Desk, as_json: bool) -> None:
    rows = [
        {
            "kid": row.kid,
            "alg": row.alg,
            "state": row.state,
            "since": row.current_since or row.created_at,
            "published_until": row.published_until,
        }
        for row in desk.op.keys.list(desk.now)
    ]
    show(rows, as_json=as_json)
