"""Rows about who is signed in where, and what grew from it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store import Json, Row

_OPEN = text("ended_at IS NULL")


class Session(Row, kw_only=True):
    """One browser's single sign-on: a row here, a hashed cookie there."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_account_id", "account_id"),
        Index("ix_session_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    cookie_digest: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    generation: Mapped[int]
    auth_time: Mapped[datetime]
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]]
    user_agent: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_reason: Mapped[str | None] = mapped_column(String(32), default=None)


class Participation(Row, kw_only=True):
    """This client took part in this session; it outlives every token, so it can be told.

    Where and how to tell it is written down at that time, so that a client edited or
    deleted since is still told.
    """

    __tablename__ = "participation"
    __table_args__ = (
        Index(
            "uq_participation_open",
            "session_id",
            "client_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_participation_account_id", "account_id"),
        Index("ix_participation_client_id", "client_id"),
    )

    sid: Mapped[str] = mapped_column(String(43), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(255))
    client_name: Mapped[str] = mapped_column(String(255))
    sub: Mapped[str] = mapped_column(String(255))
    backchannel_logout_uri: Mapped[str | None] = mapped_column(String(2048), default=None)
    frontchannel_logout_uri: Mapped[str | None] = mapped_column(String(2048), default=None)
    signing_alg: Mapped[str] = mapped_column(String(16), default="RS256")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class Grant(Row, kw_only=True):
    """What a person allowed a client, remembered until it is taken back."""

    __tablename__ = "grant"
    __table_args__ = (
        Index(
            "uq_grant_open",
            "account_id",
            "client_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_grant_client_id", "client_id"),
    )

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(String(255))
    scopes: Mapped[list[str]]
    resources: Mapped[list[str]]
    claims: Mapped[list[str]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class Line(Row, kw_only=True):
    """Everything that descends from one redeemed code: a family of refresh tokens, and the
    access tokens minted beside them. Ending it ends them all.

    `sub` is what its tokens call the person, where that is not the account's own name.
    `family` is the hash of what all its refresh tokens begin with, so that a token spent long
    ago is still known for what it is when its own row is gone.
    """

    __tablename__ = "line"
    __table_args__ = (
        Index("ix_line_account_id", "account_id"),
        Index("ix_line_client_id", "client_id"),
        Index("ix_line_session_id", "session_id"),
        Index("ix_line_grant_id", "grant_id"),
        Index("ix_line_sid", "sid"),
        Index("ix_line_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    family: Mapped[bytes] = mapped_column(unique=True)
    grant_id: Mapped[str] = mapped_column(String(43))
    session_id: Mapped[str] = mapped_column(String(43))
    sid: Mapped[str] = mapped_column(String(43))
    account_id: Mapped[str] = mapped_column(String(64))
    sub: Mapped[str | None] = mapped_column(String(255), default=None)
    client_id: Mapped[str] = mapped_column(String(255))
    client_name: Mapped[str] = mapped_column(String(255))
    generation: Mapped[int]
    offline: Mapped[bool]
    scopes: Mapped[list[str]]
    resources: Mapped[list[str]]
    claims_request: Mapped[Json]
    authorization_details: Mapped[list[Json] | None] = mapped_column(default=None)
    auth_time: Mapped[datetime]
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]]
    jkt: Mapped[str | None] = mapped_column(String(43), default=None)
    x5t: Mapped[str | None] = mapped_column(String(43), default=None)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    access_until: Mapped[datetime]
    access: Mapped[Json]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_reason: Mapped[str | None] = mapped_column(String(32), default=None)


class RefreshToken(Row, kw_only=True):
    """One refresh token of a line: its hash, never itself."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index("ix_refresh_token_line_id", "line_id"),)

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    line_id: Mapped[str] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"))
    issued_at: Mapped[datetime]
    spent_at: Mapped[datetime | None] = mapped_column(default=None)


class Code(Row, kw_only=True):
    """Something that works once: an authorization code, a parked sign-in, a challenge.

    `kind` is part of the key, so a thing of one kind is nothing as another.
    """

    __tablename__ = "code"
    __table_args__ = (Index("ix_code_expires_at", "expires_at"),)

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    details: Mapped[Json]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None] = mapped_column(default=None)
    line_id: Mapped[str | None] = mapped_column(String(43), default=None)


class Denied(Row, kw_only=True):
    """An access token taken back before its time, by its `jti`; forgotten at its `exp`."""

    __tablename__ = "denied"
    __table_args__ = (Index("ix_denied_expires_at", "expires_at"),)

    jti: Mapped[str] = mapped_column(String(255), primary_key=True)
    expires_at: Mapped[datetime]
