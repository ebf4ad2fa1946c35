"""`idp signout`, `idp receipt`: end what an operator names, and what became of it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import click

from idp.cli.accounts import BY, find_account
from idp.cli.frame import Desk, at_desk, json_option, refuse, show
from idp.domain.receipts import SURVIVES, Receipt
from idp.domain.sign_out import Because, Concern, Filters, Scope, scope_of
from idp.protocol.receipts import document, proof
from idp.store import db

AGO = re.compile(r"(\d+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
COLUMNS = ("what", "name", "api", "state", "until")


class Row(Protocol):
    """A line of a receipt, or of the preview of one."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def audience(self) -> str | None: ...
    @property
    def state(self) -> str: ...
    @property
    def until(self) -> datetime | None: ...


class Moment(click.ParamType[datetime | timedelta]):
    """A moment as one types it: `2h` ago, or 2031-05-04T12:00 (UTC unless it says otherwise)."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        if isinstance(value, datetime | timedelta):
            return value
        ago = AGO.fullmatch(str(value))
        try:
            if ago is not None:
                return timedelta(**{UNITS[ago[2]]: int(ago[1])})
            moment = datetime.fromisoformat(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither a date like 2031-05-04 nor a time ago like 2h")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@click.option("--account", "username", help="Only this person, by name or id.")
@click.option("--client", "client_id", help="Only this client.")
@click.option("--session", "session_id", help="Only this session (see `idp account sessions`).")
@click.option("--jkt", help="Only what is bound to the key with this thumbprint (RFC 7638).")
@click.option("--ip", "address", help="Only what began in sessions opened from this address.")
@click.option("--since", type=Moment(), help="Only what began since: 2h, 3d, or 2031-05-04T12:00.")
@click.option("--but", help="Spare this session, and what is in it.")
@click.option("--preview", is_flag=True, help="Only print what would end.")
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@json_option
def signout(
    username: str | None,
    since: datetime | timedelta | None,
    preview: bool,
    yes: bool,
    as_json: bool,
    **named: str | None,
) -> None:
    """Sign out whoever the options name; several narrow each other. Prints the receipts.

    A session alone, or with a client, leaves offline access alone, as a person's own sign-out
    does; everything else ends it, too.

    Example: idp signout --ip 192.0.2.7 --since 2h --preview
    """
    if as_json and not (preview or yes):
        raise click.UsageError("with --json nothing is asked: say --preview or --yes")
    with at_desk() as desk:
        moment = desk.now - since if isinstance(since, timedelta) else since
        filters = Filters(**named, since=moment)
        if username is None and not filters.named - {"but"}:
            raise click.UsageError("say whose sign-ins, or which")
        meant = _meant(desk, username, filters)
        if preview or not meant or not yes:
            _show([_preview(desk, *one) for one in meant], as_json)
        if preview or not meant:
            return
        if not yes:
            click.confirm("End all of this?", abort=True)
        _show([_carry_out(desk, scope) for scope, _ in meant], as_json)


@click.group()
def receipt() -> None:
    """Receipts: what each sign-out ended, and what became of it."""


@receipt.command("list")
@click.option("--account", "username", help="Only of this person, by name or id.")
@click.option("--limit", default=50, show_default=True)
@json_option
def list_receipts(username: str | None, limit: int, as_json: bool) -> None:
    """List the newest receipts."""
    with at_desk() as desk:
        who = find_account(desk, username).id if username is not None else None
        rows = [
            {
                "id": row.id,
                "at": row.at,
                "account": row.account_id,
                "scope": row.scope,
                "reason": row.reason,
                "by": row.by,
            }
            for row in desk.op.sign_outs.receipts.newest(who, limit)
        ]
        show(rows, as_json=as_json)


@receipt.command("show")
@click.argument("receipt_id")
@click.option(
    "--jwt", "as_jwt", is_flag=True, help="Print it signed, as an application/receipt+jwt."
)
@json_option
def show_receipt(receipt_id: str, as_jwt: bool, as_json: bool) -> None:
    """Show a receipt as it stands now."""
    with at_desk() as desk:
        row = desk.op.sign_outs.receipts.find(receipt_id)
        if row is None:
            raise refuse(f"there is no receipt {receipt_id!r}")
        if as_jwt:
            click.echo(proof(desk.op, row, desk.now))
        elif as_json:
            click.echo(json.dumps(document(desk.op, row), indent=2))
        else:
            _show([_receipt(desk, row)], as_json=False)


Meant = tuple[Scope, Sequence[Concern]]


def _meant(desk: Desk, username: str | None, filters: Filters) -> list[Meant]:
    """The sign-out of each person concerned, and what it would end."""
    outs = desk.op.sign_outs
    if username is not None:
        people = [find_account(desk, username).id]
    else:
        people = outs.accounts_within(filters)
    scopes = [scope_of(person, filters) for person in people]
    found = [(scope, outs.preview(scope, desk.now)) for scope in scopes]
    return [one for one in found if any(row.state != SURVIVES for row in one[1])]


def _preview(desk: Desk, scope: Scope, concerns: Sequence[Concern]) -> Mapping[str, object]:
    return {**_of(desk, scope.account_id), "scope": scope.kind, "lines": _lines(concerns)}


def _carry_out(desk: Desk, scope: Scope) -> Mapping[str, object]:
    """One person after the other, each at once and for good."""
    db.session.rollback()
    now = desk.app.extensions["idp.clock"]()
    row = desk.op.sign_outs.carry_out(scope, Because("administrator", BY), now)
    desk.settle(row)
    if row is None:
        return {"receipt": None, **_of(desk, scope.account_id), "scope": scope.kind, "lines": []}
    return _receipt(desk, row)


def _receipt(desk: Desk, row: Receipt) -> Mapping[str, object]:
    lines = _lines(desk.op.sign_outs.receipts.lines(row.id))
    return {"receipt": row.id, **_of(desk, row.account_id), "scope": row.scope, "lines": lines}


def _of(desk: Desk, account_id: str) -> Mapping[str, object]:
    person = desk.op.accounts.find(account_id)
    return {"account": account_id, "username": person.username if person else None}


def _lines(rows: Iterable[Row]) -> list[Mapping[str, object]]:
    return [
        dict(zip(COLUMNS, (r.kind, r.name, r.audience, r.state, r.until), strict=True))
        for r in rows
    ]


def _show(found: Sequence[Mapping[str, object]], as_json: bool) -> None:
    """Person by person. For programs one list, whose moments are spelled by ISO 8601."""
    if as_json:
        show(found, as_json=True)
        return
    if not found:
        click.echo("There is nothing to end.")
    for one in found:
        title = f"receipt {one['receipt']}: " if one.get("receipt") else ""
        click.echo(f"{title}{one['username'] or one['account']}, {one['scope']}")
        show(one["lines"], as_json=False, columns=COLUMNS)  # type: ignore[arg-type]
