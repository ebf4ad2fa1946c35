"""Logos of clients, fetched by us and kept, so that no client learns who looks at which page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from idp.domain.client_view import ClientView
from idp.domain.outbound import Outbound, OutboundBusy, OutboundRefused
from idp.store import DbSession, writing
from idp.store.clients import ClientLogo

MOST_BYTES = 64 * 1024
KEPT = timedelta(days=1)
TRIED_AGAIN = timedelta(minutes=10)
NONE = ""  # the kind of what is no picture


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture, and what kind it is by its own first bytes."""

    kind: str
    body: bytes


class Logos:
    """One picture for each client, fetched when somebody wants to see it, once a day.

    `let_go` ends the reading transaction of the request: no database connection is held while
    a client's server takes its time (SSR-08).
    """

    def __init__(self, session: DbSession, outbound: Outbound, let_go: Callable[[], None]) -> None:
        self._session = session
        self._outbound = outbound
        self._let_go = let_go

    def to_show(self, client: ClientView, now: datetime) -> bool:
        """Whether there is one, or nobody has looked yet."""
        uri = client.details.get("logo_uri")
        row = self._row(client.client_id) if uri is not None else None
        return uri is not None and (row is None or row.kind != NONE or not _counts(row, uri, now))

    def of(self, client: ClientView, now: datetime) -> Logo | None:
        """The picture; fetched if it must be."""
        uri = client.details.get("logo_uri")
        if uri is None:
            return None
        row = self._row(client.client_id)
        if row is not None and _counts(row, uri, now):
            return Logo(row.kind, row.body) if row.kind != NONE else None
        kept = Logo(row.kind, row.body) if row is not None and row.uri == uri else None
        self._let_go()
        try:
            body = self._outbound.fetch(uri, MOST_BYTES).body
        except OutboundBusy:
            return None
        except OutboundRefused:
            body = kept.body if kept is not None else b""
        return self._keep(client.client_id, uri, Logo(kind_of(body), body), now)

    def _row(self, client_id: str) -> ClientLogo | None:
        query = select(ClientLogo).where(ClientLogo.client_id == client_id)
        fresh = {"populate_existing": True}
        return self._session.scalars(query, execution_options=fresh).one_or_none()

    def _keep(self, client_id: str, uri: str, logo: Logo, now: datetime) -> Logo | None:
        """Also that there is none: it is not asked for again at once."""
        body = logo.body if logo.kind != NONE else b""
        said = {"uri": uri, "kind": logo.kind, "body": body, "fetched_at": now}
        writing(self._session)
        on_postgres = self._session.get_bind().dialect.name == "postgresql"
        insert = postgresql.insert if on_postgres else sqlite.insert
        put = insert(ClientLogo).values(client_id=client_id, **said)
        self._session.execute(
            put.on_conflict_do_update(index_elements=["client_id"], set_=said),
            execution_options={"synchronize_session": False},
        )
        return logo if logo.kind != NONE else None


def kind_of(body: bytes) -> str:
    """What a picture is by what it begins with, whatever its server says. Nothing that can hold
    a script is a picture (DCR-03).
    """
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return "image/webp"
    return NONE


def _counts(row: ClientLogo, uri: str, now: datetime) -> bool:
    """An age below zero means that the clock was set back: nothing is known about then."""
    kept = KEPT if row.kind != NONE else TRIED_AGAIN
    return row.uri == uri and timedelta(0) <= now - row.fetched_at < kept
