"""Rows about applications, the APIs they call, and their secrets."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store import Json, Row


class Client(Row, kw_only=True):
    """An application that asks people to sign in, or that calls APIs (RFC 7591 section 2).

    `details` is its registered metadata, under the standards' names. `version` grows with every
    change, so that a copy in memory can be told from a stale one by one number.
    """

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    details: Mapped[Json]
    policies: Mapped[list[str]]
    serves: Mapped[list[str]]
    trusted: Mapped[bool] = mapped_column(default=False)
    dynamic: Mapped[bool] = mapped_column(default=False)
    registration_digest: Mapped[bytes | None] = mapped_column(unique=True, default=None)
    registered_from: Mapped[str | None] = mapped_column(String(64), default=None)
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class ClientSecret(Row, kw_only=True):
    """One of a client's secrets; two live ones let it rotate without an outage.

    `sealed` exists only where the secret itself is a key (client_secret_jwt).
    """

    __tablename__ = "client_secret"
    __table_args__ = (Index("ix_client_secret_client_id", "client_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"))
    digest: Mapped[bytes]
    sealed: Mapped[bytes | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(default=None)


class TrustedIssuer(Row, kw_only=True):
    """Another issuer whose word about our people counts (RFC 7523): its keys, the clients that
    may bring it, and whom it may speak of.
    """

    __tablename__ = "trusted_issuer"

    issuer: Mapped[str] = mapped_column(String(512), primary_key=True)
    details: Mapped[Json]
    created_at: Mapped[datetime]


class ClientLogo(Row, kw_only=True):
    """A client's picture as it was fetched last; without a `kind` there was none."""

    __tablename__ = "client_logo"

    client_id: Mapped[str] = mapped_column(
        ForeignKey("client.client_id", ondelete="CASCADE"), primary_key=True
    )
    uri: Mapped[str] = mapped_column(String(2048))
    kind: Mapped[str] = mapped_column(String(16))
    body: Mapped[bytes]
    fetched_at: Mapped[datetime]


class Resource(Row, kw_only=True):
    """An API, named by its RFC 8707 identifier, with the scopes it understands, and the types of
    authorization details it knows beyond them (RFC 9396).
    """

    __tablename__ = "resource"

    identifier: Mapped[str] = mapped_column(String(512), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    scopes: Mapped[Json]
    policies: Mapped[list[str]]
    access_lifetime: Mapped[int | None] = mapped_column(default=None)
    detail_types: Mapped[Json | None] = mapped_column(default=None)
    status_list: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
