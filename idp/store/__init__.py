"""Rows and short-lived facts; read by the domain only.

One database handle, one naming convention, one idea of time (aware UTC), and one rule
about writing: `writing()` before the first write of a request.
"""

import sqlite3
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, LargeBinary, MetaData, event
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, registry
from sqlalchemy.types import TypeDecorator

from idp.store.prebuilt import Prebuilt
from idp.store.work import WRITES, DbSession, Work, begin, once_committed, writing

__all__ = ["WRITES", "Base", "DbSession", "Json", "Prebuilt", "Row", "Utc", "Work", "db"]
__all__ += ["once_committed", "writing"]

Json = dict[str, Any]
BUSY_TIMEOUT_MS = 5000
CONNECT_SECONDS = 3


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
    session_options={"class_": Work, "expire_on_commit": False, "autoflush": False},
    engine_options={
        "isolation_level": "AUTOCOMMIT",  # until somebody writes
        "pool_pre_ping": False,
        "hide_parameters": True,  # what is in an error is in the log
    },
)


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


@event.listens_for(Engine, "do_connect")
def _prepare_postgres(
    dialect: Dialect, _record: object, _args: object, given: dict[str, Any]
) -> None:
    """Just as patient: who cannot connect, or waits for a lock of somebody else, is told so
    before requests pile up behind it. What the address of the database says counts.
    """
    if dialect.name == "postgresql":
        given.setdefault("connect_timeout", CONNECT_SECONDS)
        given.setdefault("tcp_user_timeout", BUSY_TIMEOUT_MS)
        given.setdefault("options", f"-c lock_timeout={BUSY_TIMEOUT_MS}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    """A connection that was taken to write begins at once; others commit each statement."""
    if connection.get_execution_options().get(WRITES):
        begin(connection)
