"""Rows about people: their accounts and their passkeys."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store import Json, Row


class Account(Row, kw_only=True):
    """A person who can sign in.

    `id` is the `sub` that applications see; it is random and never given to anybody else.
    `generation` counts the times everything was ended at once: what carries an older number
    is over, whatever the clocks say.
    """

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(String(255))
    username_key: Mapped[str] = mapped_column(String(255), unique=True)
    claims: Mapped[Json]
    password_hash: Mapped[str | None] = mapped_column(String(255), default=None)
    password_changed_at: Mapped[datetime | None] = mapped_column(default=None)
    webauthn_handle: Mapped[bytes] = mapped_column(unique=True)
    generation: Mapped[int] = mapped_column(default=0)
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Credential(Row, kw_only=True):
    """A passkey: the public half of a key pair a person holds (WebAuthn Level 2 section 4)."""

    __tablename__ = "credential"
    __table_args__ = (Index("ix_credential_account_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    aaguid: Mapped[str] = mapped_column(String(64))
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    transports: Mapped[list[str]]
    name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
