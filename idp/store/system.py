"""Rows about the provider itself: its keys, what happened, and what must still be told."""

from datetime import datetime

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store import Json, Row


class SigningKey(Row, kw_only=True):
    """A key pair of ours. The private half is sealed with a key from outside the database."""

    __tablename__ = "signing_key"
    __table_args__ = (
        Index(
            "uq_signing_key_current",
            "alg",
            unique=True,
            sqlite_where=text("state = 'current'"),
            postgresql_where=text("state = 'current'"),
        ),
        Index(
            "uq_signing_key_next",
            "alg",
            unique=True,
            sqlite_where=text("state = 'next'"),
            postgresql_where=text("state = 'next'"),
        ),
    )

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    alg: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    public_jwk: Mapped[Json]
    sealed_private: Mapped[bytes]
    created_at: Mapped[datetime]
    current_since: Mapped[datetime | None] = mapped_column(default=None)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)
    published_until: Mapped[datetime | None] = mapped_column(default=None)


class Event(Row, kw_only=True):
    """Something that happened, for the audit trail; written with what it tells of."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_at", "at"),
        Index("ix_event_account_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(48))
    account_id: Mapped[str | None] = mapped_column(String(64), default=None)
    client_id: Mapped[str | None] = mapped_column(String(255), default=None)
    session_id: Mapped[str | None] = mapped_column(String(43), default=None)
    address: Mapped[str | None] = mapped_column(String(64), default=None)
    details: Mapped[Json]


class Ended(Row, kw_only=True):
    """One row of the feed: this is over. `seq` is given after the commit, by one dispatcher."""

    __tablename__ = "ended"
    __table_args__ = (
        Index(
            "ix_ended_unsequenced",
            "id",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
        Index("ix_ended_until", "until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    seq: Mapped[int | None] = mapped_column(unique=True, default=None)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(255))
    generation: Mapped[int | None] = mapped_column(default=None)
    at: Mapped[datetime]
    until: Mapped[datetime]


class FeedHead(Row, kw_only=True):
    """How far the feed has come: one row, locked by whoever numbers.

    Another `epoch` says that the numbers mean something else now, as after a backup.
    """

    __tablename__ = "feed_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(String(43))
    seq: Mapped[int] = mapped_column(default=0)


class GuardLease(Row, kw_only=True):
    """A guard that follows the feed: what it has confirmed, and until when it may trust that."""

    __tablename__ = "guard_lease"
    __table_args__ = (Index("ix_guard_lease_until", "until"),)

    client_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    guard: Mapped[str] = mapped_column(String(64), primary_key=True)
    resources: Mapped[list[str]]
    epoch: Mapped[str] = mapped_column(String(43))
    confirmed: Mapped[int]
    until: Mapped[datetime]


class Receipt(Row, kw_only=True):
    """The record of one sign-out."""

    __tablename__ = "receipt"
    __table_args__ = (
        Index("ix_receipt_account_id", "account_id"),
        Index("ix_receipt_at", "at"),
    )

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class ReceiptLine(Row, kw_only=True):
    """One thing a sign-out concerned, and what became of it (promise P8)."""

    __tablename__ = "receipt_line"
    __table_args__ = (Index("ix_receipt_line_receipt_id", "receipt_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    receipt_id: Mapped[str] = mapped_column(String(43))
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255))
    reference: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))
    until: Mapped[datetime | None] = mapped_column(default=None)
    audience: Mapped[str | None] = mapped_column(String(512), default=None)
    updated_at: Mapped[datetime]


class Delivery(Row, kw_only=True):
    """The outbox: one notice to one client, kept until it is confirmed or given up.

    `address` is where it goes, as it stood when the client took part. No token is stored:
    every try makes a fresh one. What goes to a stream of events names it.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "ix_delivery_due",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_delivery_held",
            "created_at",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
        Index("ix_delivery_receipt_line_id", "receipt_line_id"),
        Index("ix_delivery_stream_id", "stream_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    stream_id: Mapped[str | None] = mapped_column(String(43), default=None)
    sink: Mapped[str] = mapped_column(String(24))
    client_id: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(2048))
    details: Mapped[Json]
    receipt_line_id: Mapped[int | None] = mapped_column(default=None)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    last_answer: Mapped[str | None] = mapped_column(Text, default=None)


class Fact(Row, kw_only=True):
    """A short-lived fact shared by processes when there is no Redis: seen once, or counted."""

    __tablename__ = "fact"
    __table_args__ = (Index("ix_fact_expires_at", "expires_at"),)

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    count: Mapped[int] = mapped_column(default=1)
    value: Mapped[str | None] = mapped_column(Text, default=None)
    expires_at: Mapped[datetime]


class Forgotten(Row, kw_only=True):
    """Facts of one kind that end in this stretch may have been forgotten. It is written down
    before they are, and for good: no clock that is set back makes them new again.
    """

    __tablename__ = "forgotten"
    __table_args__ = (Index("ix_forgotten_namespace", "namespace"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    namespace: Mapped[str] = mapped_column(String(32))
    first: Mapped[datetime]
    last: Mapped[datetime]
