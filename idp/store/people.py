"""Rows about people: their accounts, and what opens them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
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


class Totp(Row, kw_only=True):
    """An authenticator app (RFC 6238). The secret is sealed for this row and this person;
    `last_step` is the last time step whose code was accepted, and only later ones are.
    """

    __tablename__ = "totp"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), unique=True
    )
    sealed: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class RecoveryCode(Row, kw_only=True):
    """A code on paper, for who has lost the phone. Only a hash of it and of its owner is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_account_id", "account_id"),)

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)
