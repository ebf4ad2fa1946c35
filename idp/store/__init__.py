"""Rows and short-lived facts; read by the domain only.

One database handle, one naming convention, one idea of time (aware UTC), and one rule
about writing: `writing()` before the first write of a request.
"""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Engine, LargeBinary, MetaData, event
from sqlalchemy.orm import (
    DeclarativeBase,
    MappedAsDataclass,
    Session,
    SessionTransaction,
    registry,
    scoped_session,
)
from sqlalchemy.types import TypeDecorator

Json = dict[str, Any]
DbSession = Session | scoped_session[Session]

BUSY_TIMEOUT_MS = 5000
WRITES = "idp_writes"
PROMISED, DUE = "idp_promised", "idp_due"


class Utc(TypeDecorator[datetime]):
    """A moment, always aware and always UTC, on databases that know no time zones too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every table has in common."""

    registry = registry(
        metadata=MetaData(naming_convention=_NAMES),
        type_annotation_map={
            datetime: Utc,
            bytes: LargeBinary,
            Json: JSON,
            list[str]: JSON,
            list[Json]: JSON,
        },
    )


class Row(MappedAsDataclass, Base, kw_only=True):
    """What every row has in common: it is made with its names spelled out."""

    __abstract__ = True


db = SQLAlchemy(
    model_class=Base,
    session_options={"expire_on_commit": False, "autoflush": False},
    engine_options={
        "pool_pre_ping": False,
        "hide_parameters": True,  # what is in an error is in the log
    },
)


def writing(session: DbSession) -> None:
    """Say that this request writes from here on.

    SQLite cannot turn a reading transaction into a writing one once somebody else has
    written in between, so what was read is let go and a writing transaction is begun at
    once (`BEGIN IMMEDIATE`). Whatever must still be true is asked again inside it. On
    PostgreSQL there is nothing to do.
    """
    if session.get_bind().dialect.name != "sqlite":
        return
    unit = session() if isinstance(session, scoped_session) else session
    if unit.in_transaction():
        if unit.connection().get_execution_options().get(WRITES):
            return
        unit.commit()
    unit.connection(execution_options={WRITES: True})


def once_committed(session: DbSession, act: Callable[[], None]) -> None:
    """Have this done as soon as what the session wrote is durable and its connection is back.

    If it is undone instead, so is the promise. The same act is done once, however often it
    was promised.
    """
    unit = session() if isinstance(session, scoped_session) else session
    unit.info.setdefault(PROMISED, {})[act] = None


@event.listens_for(Session, "after_commit")
def _promises_are_due(session: Session) -> None:
    session.info[DUE] = session.info.pop(PROMISED, {})


@event.listens_for(Session, "after_rollback")
def _promises_are_void(session: Session) -> None:
    session.info.pop(PROMISED, None)


@event.listens_for(Session, "after_transaction_end")
def _keep_promises(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for act in session.info.pop(DUE, {}):
            act()


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Durable and patient: every commit is on the disk before it is answered (promise P2)."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@event.listens_for(Session, "before_flush")
def _refuse_unannounced_writes(session: Session, _context: object, _instances: object) -> None:
    """A write in a reading transaction is a mistake of ours, and is found by the first test."""
    changed = session.new or session.dirty or session.deleted
    if not changed or session.get_bind().dialect.name != "sqlite":
        return
    if not session.connection().get_execution_options().get(WRITES):
        raise RuntimeError("a request wrote without saying writing() first")
