"""Rows about streams of security events, and whom they are about (Shared Signals 1.0)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store import Json, Row


class Stream(Row, kw_only=True):
    """What one client wants to be told of, and how it is told.

    `sealed_header` is the Authorization header it wants to see, which must be told in plain.
    """

    __tablename__ = "stream"
    __table_args__ = (Index("ix_stream_client_id", "client_id"),)

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"))
    description: Mapped[str | None] = mapped_column(String(512), default=None)
    events_requested: Mapped[list[str]]
    method: Mapped[str] = mapped_column(String(32))
    endpoint_url: Mapped[str | None] = mapped_column(String(2048), default=None)
    sealed_header: Mapped[bytes | None] = mapped_column(default=None)
    status: Mapped[str] = mapped_column(String(16), default="enabled")
    reason: Mapped[str | None] = mapped_column(String(512), default=None)
    verified_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]


class StreamSubject(Row, kw_only=True):
    """A person whom the receiver of a stream has named: to hear of them, or not to.

    `key` is a hash of the identifier, however it was spelled.
    """

    __tablename__ = "stream_subject"

    stream_id: Mapped[str] = mapped_column(
        ForeignKey("stream.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[bytes] = mapped_column(primary_key=True)
    subject: Mapped[Json]
    wanted: Mapped[bool]
    created_at: Mapped[datetime]
