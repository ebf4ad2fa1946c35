"""Rows about what is asked for in one place and answered in another."""

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store import Json, Row

_WAITING = text("state = 'waiting'")


class Approval(Row, kw_only=True):
    """An app asks, a person answers elsewhere, the app comes back for its tokens once: the device
    grant (RFC 8628) and CIBA. Of what the app brings back, and of the code the person types,
    only hashes are kept.
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_expires_at", "expires_at"),
        Index("ix_approval_account_id", "account_id"),
        Index(
            "uq_approval_user_code",
            "user_code",
            unique=True,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
    )

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    digest: Mapped[bytes] = mapped_column(unique=True)
    user_code: Mapped[bytes | None] = mapped_column(default=None)
    client_id: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[str | None] = mapped_column(String(64), default=None)
    session_id: Mapped[str | None] = mapped_column(String(43), default=None)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    asked: Mapped[Json]
    given: Mapped[Json]
    sealed: Mapped[bytes | None] = mapped_column(default=None)
    interval: Mapped[int]
    next_poll_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    spent_at: Mapped[datetime | None] = mapped_column(default=None)
