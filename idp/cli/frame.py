"""What every command shares: the provider it talks to, and how it answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from flask import Flask
from sqlalchemy import inspect

from idp.app import create_app
from idp.domain import Provider, strict
from idp.domain.sign_out import Receipt
from idp.settings import load
from idp.store import db

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@dataclass(frozen=True, slots=True)
class Desk:
    """The provider, and the time at which the command was given."""

    app: Flask
    op: Provider
    now: datetime

    def commit(self) -> None:
        """What was said is done."""
        db.session.commit()

    def settle(self, receipt: Receipt | None) -> None:
        """A sign-out is done, and in strict mode the guards that listen have heard of it."""
        self.commit()
        strict.settle(self.op, [receipt], self.now)
        self.commit()


def make_app() -> Flask:
    """The application for the settings of this command line."""
    root = click.get_current_context().find_root()
    if isinstance(root.obj, Flask):  # made by `idp batch`, for all its commands
        return root.obj
    config = root.params.get("config")
    return create_app(load(Path(config) if config else None))


@contextmanager
def at_desk() -> Iterator[Desk]:
    """Open the provider for one command; nothing is kept unless `commit` is called."""
    app = make_app()
    with app.app_context():
        if not inspect(db.engine).has_table("account"):
            raise click.ClickException("the database is empty; run `idp migrate` first")
        yield Desk(app, app.extensions["idp"], app.extensions["idp.clock"]())


def refuse_another_secret(op: Provider, now: datetime) -> None:
    """Nothing runs on a store whose keys it cannot open, or makes others beside them."""
    if not op.keys.opens(now):
        raise refuse(
            "the secret is not the one that the signing keys in this database were made with"
        )


def refuse(sentence: str) -> click.ClickException:
    """An error that ends the command with exit code 1."""
    return click.ClickException(sentence)


def show(
    rows: Sequence[Mapping[str, object]], *, as_json: bool, columns: Sequence[str] = ()
) -> None:
    """A table for people, or a list for programs."""
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows], indent=2, default=_spelled))
        return
    names = list(columns) or (list(rows[0]) if rows else [])
    table = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(names))]
    for line in table if rows else []:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def show_one(row: Mapping[str, object], *, as_json: bool) -> None:
    """One thing, name by name, or as an object."""
    if as_json:
        click.echo(json.dumps(_plain(row), indent=2, default=_spelled))
        return
    width = max((len(name) for name in row), default=0)
    for name, value in row.items():
        click.echo(f"{name.ljust(width)}  {_cell(value)}")


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}


def _spelled(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value)
    return str(value)
