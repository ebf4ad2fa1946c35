"""Which clients nobody uses any more."""

from datetime import datetime

from sqlalchemy import Select, exists, select

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
