"""Whoever writes first wins: INSERT … ON CONFLICT DO NOTHING, in the words of each database."""

from functools import cache
from typing import Any

from sqlalchemy import FromClause, bindparam, exists, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from idp.store import Utc
from idp.store.prebuilt import Prebuilt
from idp.store.system import Fact, Forgotten


@cache
def put_once(table: FromClause, columns: tuple[str, ...], dialect: str) -> Prebuilt:
    """Says how many rows went in; the value of a column is called `of_<column>`."""
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    fresh = kind(table)  # type: ignore[arg-type]
    given: dict[str, Any] = {name: bindparam(f"of_{name}") for name in columns}
    return Prebuilt(fresh.values(given).on_conflict_do_nothing())


@cache
def see_once(dialect: str) -> Prebuilt:
    """The same for a fact, unless one that ends when this one does may have been forgotten."""
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    key, until = bindparam("of_key", type_=Fact.key.type), bindparam("of_until", type_=Utc())
    gone = exists().where(
        Forgotten.namespace == bindparam("of_namespace", type_=Forgotten.namespace.type),
        Forgotten.first <= until,
        Forgotten.last >= until,
    )
    fresh = select(key, literal_column("1"), until).where(~gone)
    put = kind(Fact).from_select(["key", "count", "expires_at"], fresh)
    return Prebuilt(put.on_conflict_do_nothing())
