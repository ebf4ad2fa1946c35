"""Whoever writes first wins: INSERT … ON CONFLICT DO NOTHING, in the words of each database."""

from functools import cache
from typing import Any

from sqlalchemy import FromClause, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from idp.store.prebuilt import Prebuilt


@cache
def put_once(table: FromClause, columns: tuple[str, ...], dialect: str) -> Prebuilt:
    """Says how many rows went in; the value of a column is called `of_<column>`."""
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    fresh = kind(table)  # type: ignore[arg-type]
    given: dict[str, Any] = {name: bindparam(f"of_{name}") for name in columns}
    return Prebuilt(fresh.values(given).on_conflict_do_nothing())
