"""What the worlds of one process share, because it is the same in each and takes long to make.

Tables, signing keys, the compiled pages and routes, and the hash of the password everybody has.
None of it is a fake: it is what the provider made when it was first asked.
"""

import sqlite3
from datetime import datetime
from functools import cache
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, event, insert, select
from werkzeug.routing import Rule

from idp.domain import Provider
from idp.domain.passwords import hash_password
from idp.store import db, writing
from idp.store.system import SigningKey


@cache
def hashed(password: str) -> str:
    """A password as accounts keep it."""
    return hash_password(password)


@event.listens_for(Engine, "connect")
def _need_not_outlive_the_machine(connection: object, _record: object) -> None:
    """Our databases outlive no test: SQLite does not wait for the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


_laid = sqlite3.connect(":memory:", check_same_thread=False)
"""A database with the tables and nothing in them, once SQLite has been asked to make one."""


def lay_tables() -> None:
    """Empty tables in the database at hand."""
    if db.engine.dialect.name != "sqlite":
        db.drop_all()
        db.create_all()
        return
    if not _laid.execute("SELECT 1 FROM sqlite_master").fetchone():
        db.drop_all()
        db.create_all()
        _sqlite_file().backup(_laid)
    else:
        _laid.backup(_sqlite_file())


def _sqlite_file() -> sqlite3.Connection:
    with db.engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


_keys: dict[str, list[dict[str, Any]]] = {}
_opened: dict[str, dict[str, Any]] = {}
"""The first keys made with a secret, and the same unsealed."""


def provide_keys(op: Provider, secret: str, now: datetime) -> None:
    """Signing keys, current as of now."""
    vars(op.keys)["_opened"] = _opened.setdefault(secret, {})
    if secret in _keys:
        writing(db.session)
        for row in _keys[secret]:
            since = now if row["current_since"] else None
            fresh = row | {"created_at": now, "current_since": since}
            db.session.execute(insert(SigningKey).values(**fresh))
    op.keys.ensure(now)
    db.session.commit()
    if secret not in _keys:
        rows = db.session.execute(select(SigningKey.__table__)).mappings()
        _keys[secret] = [dict(row) for row in rows]
        db.session.rollback()


class _Pages(BytecodeCache):
    """Pages as Jinja has compiled them."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


pages = _Pages()

_COMPILED = ("_parts", "_trace", "_converters", "_build", "_build_unknown", "arguments")
_routes: dict[tuple[object, ...], dict[str, Any]] = {}


class _Route(Rule):
    """A route as Werkzeug has compiled it."""

    def compile(self) -> None:
        settings = (self.host, self.subdomain, self.merge_slashes, repr(self.defaults))
        known = _routes.get((self.rule, *settings))
        if known is None:
            super().compile()
            _routes[(self.rule, *settings)] = {name: vars(self)[name] for name in _COMPILED}
        else:
            vars(self).update(known)


Flask.url_rule_class = _Route
