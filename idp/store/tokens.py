"""Rows about access tokens that a policy wants remembered, and about what people may do."""

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store import Json, Row


class IssuedToken(Row, kw_only=True):
    """An access token that is out: an opaque one, one on the list of those that are good, or
    one that a denylist must be able to name. Never the token itself.
    """

    __tablename__ = "issued_token"
    __table_args__ = (
        Index("ix_issued_token_line_id", "line_id"),
        Index("ix_issued_token_expires_at", "expires_at"),
    )

    jti: Mapped[str] = mapped_column(String(43), primary_key=True)
    digest: Mapped[bytes | None] = mapped_column(unique=True, default=None)
    line_id: Mapped[str | None] = mapped_column(String(43), default=None)
    listed: Mapped[bool] = mapped_column(default=False)
    claims: Mapped[Json]
    expires_at: Mapped[datetime]


class Role(Row, kw_only=True):
    """What one person may do at one API, as it stands now."""

    __tablename__ = "role"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource: Mapped[str] = mapped_column(String(512), primary_key=True)
    roles: Mapped[list[str]]
    permissions: Mapped[list[str]]
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]


class StatusListRow(Row, kw_only=True):
    """A status list: until when it takes tokens, unless it is crowded before."""

    __tablename__ = "status_list"
    __table_args__ = (Index("ix_status_list_open_until", "open_until"),)

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    open_until: Mapped[datetime]
    crowded: Mapped[bool] = mapped_column(default=False)


class StatusEntry(Row, kw_only=True):
    """A place in a status list that is a token's: valid (0), taken back (1), suspended (2)."""

    __tablename__ = "status_entry"
    __table_args__ = (
        Index(
            "ix_status_entry_ended",
            "list_id",
            "idx",
            sqlite_where=text("state <> 0"),
            postgresql_where=text("state <> 0"),
        ),
    )

    list_id: Mapped[str] = mapped_column(String(43), primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[int] = mapped_column(default=0)
