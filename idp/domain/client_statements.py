"""The statements about clients that come by themselves: one that is new, and who is not used."""

from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Select, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from idp.store.clients import Client
from idp.store.sessions import Grant, Line


def unused(since: datetime, allowed_since: datetime, limit: int) -> Select[str]:
    """Clients that registered themselves and were not used since then (DCR-08). One that
    somebody allowed something is kept as long as any line of its could have lived.
    """
    return (
        select(Client.client_id)
        .where(
            Client.dynamic.is_(True),
            Client.created_at <= since,
            Client.last_used_at.is_(None) | (Client.last_used_at <= since),
            ~exists().where(Line.client_id == Client.client_id, Line.ended_at.is_(None)),
            ~exists().where(
                Grant.client_id == Client.client_id,
                Grant.ended_at.is_(None),
                Grant.updated_at > allowed_since,
            ),
        )
        .limit(limit)
    )


def fresh(dialect: str, client_id: str, **values: Any) -> Insert:  # noqa: ANN401 - columns of a client
    """A client that has described itself; of two who learn of it at once, one writes it down."""
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    common = {"version": 1, "policies": [], "serves": [], "trusted": False, "dynamic": True}
    return kind(Client).values(client_id=client_id, **common, **values).on_conflict_do_nothing()
