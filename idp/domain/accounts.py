"""People: create, find, change, disable."""

import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, literal, select, update
from sqlalchemy.exc import IntegrityError

from idp.domain.passwords import common_passwords, hash_password
from idp.domain.profile import checked_claims
from idp.domain.rules import Rules
from idp.domain.second_factors import SecondFactors
from idp.store import DbSession, Json, Prebuilt, writing
from idp.store.people import Account, Credential

__all__ = ["Account", "Accounts", "Credential", "LastWayIn", "Named", "UsernameTaken"]
__all__ += ["WeakPassword"]

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
LONGEST_LABEL = 120

_one = select(literal(1).label("one")).subquery()
_NAMED = select(
    func.coalesce(Account.id, ""), Account.password_hash, Account.disabled_at.is_not(None)
).select_from(_one.outerjoin(Account, Account.username_key == bindparam("key")))
_CLAIMS = Prebuilt(select(Account.claims, Account.updated_at).where(Account.id == bindparam("a")))


class UsernameTaken(Exception):
    """Somebody has that name already."""


class WeakPassword(Exception):
    """The password is refused; `reason` is too_short, too_long, too_common or contains_name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LastWayIn(Exception):
    """Without this passkey nobody could sign in to the account any more."""


@dataclass(frozen=True, slots=True)
class Named:
    """Who somebody says they are, before they have proved it. A name that nobody has gives one
    too, without an id: it is read and handled with the same work (PWD-05).
    """

    account_id: str
    password_hash: str | None
    disabled: bool


class Accounts:
    """Everybody who can sign in."""

    def __init__(self, session: DbSession, second_factors: SecondFactors, rules: Rules) -> None:
        self._session = session
        self._rules = rules
        self.second_factors = second_factors

    def create(
        self, username: str, password: str | None, claims: Mapping[str, Any], now: datetime
    ) -> Account:
        """A new person. Raises `UsernameTaken`, `WeakPassword`, or ValueError for bad claims."""
        key = username_key(username)
        if not key or len(key) > 255 or not key.isprintable():  # noqa: PLR2004
            raise ValueError("a username has 1 to 255 printable characters")
        kept = checked_claims({"preferred_username": username.strip(), **claims})
        hashed = None
        if password is not None:
            self.judge(password, username, kept)
            hashed = hash_password(password)
        writing(self._session)
        if self._by_key(key) is not None:
            raise UsernameTaken(username)
        row = Account(
            id="u_" + secrets.token_urlsafe(16),
            username=username.strip(),
            username_key=key,
            claims=kept,
            password_hash=hashed,
            password_changed_at=now if hashed else None,
            webauthn_handle=secrets.token_bytes(32),
            created_at=now,
            updated_at=now,
        )
        try:
            with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError:  # somebody else was a moment faster
            raise UsernameTaken(username) from None
        return row

    def find(self, account_id: str) -> Account | None:
        """The person with this `sub`."""
        return self._session.get(Account, account_id, populate_existing=True)

    def find_by_username(self, username: str) -> Account | None:
        """The person of that name, however it is spelled."""
        return self._by_key(username_key(username))

    def named(self, username: str) -> Named:
        """What a sign-in must know of whoever has that name, if anybody has."""
        key = {"key": username_key(username)}
        return Named(*self._session.connection().execute(_NAMED, key).one())

    def find_by_handle(self, handle: bytes) -> Account | None:
        """The person an authenticator knows by this handle (WebAuthn section 5.4.3)."""
        query = select(Account).where(Account.webauthn_handle == handle)
        return self._session.scalars(query).one_or_none()

    def reached_at(self, claim: str, address: str) -> Sequence[Account]:
        """Everybody who has shown that this e-mail address or phone number is theirs."""
        said = Account.claims[claim].as_string()
        query = select(Account).where(func.lower(said) == address.lower()).order_by(Account.id)
        found = self._session.scalars(query).all()
        return [row for row in found if row.claims.get(f"{claim}_verified") is True]

    def list(self) -> Sequence[Account]:
        """Everybody, the oldest first."""
        return self._session.scalars(select(Account).order_by(Account.created_at)).all()

    def set_claims(self, row: Account, claims: Mapping[str, Any], now: datetime) -> None:
        """Replace what is known of a person; a new e-mail address is unproven (OID-10)."""
        kept = checked_claims(claims)
        for claim, proof in (
            ("email", "email_verified"),
            ("phone_number", "phone_number_verified"),
        ):
            if kept.get(claim) != row.claims.get(claim):
                kept.pop(proof, None)
        writing(self._session)
        row.claims = kept
        row.updated_at = now
        self._session.flush()

    def set_password(self, row: Account, password: str, now: datetime) -> None:
        """A new password, if it is good enough."""
        self.judge(password, row.username, row.claims)
        hashed = hash_password(password)
        writing(self._session)
        row.password_hash = hashed
        row.password_changed_at = now
        self._session.flush()

    def rehash(self, named: Named, password: str) -> None:
        """Keep a proven password under today's parameters, if it is still the password."""
        hashed = hash_password(password)
        writing(self._session)
        same_still = (Account.id == named.account_id, Account.password_hash == named.password_hash)
        self._session.execute(update(Account).where(*same_still).values(password_hash=hashed))

    def judge(self, password: str, username: str, claims: Mapping[str, Any]) -> None:
        """Length, a list of common ones, and nobody's own name; no other rules (PWD-02)."""
        normal = unicodedata.normalize("NFKC", password)
        if len(normal) < SHORTEST_PASSWORD:
            raise WeakPassword("too_short")
        if len(normal) > LONGEST_PASSWORD:
            raise WeakPassword("too_long")
        lowered = normal.casefold()
        if lowered in common_passwords():
            raise WeakPassword("too_common")
        email = str(claims.get("email", "")).casefold()
        names = {username_key(username), email, email.partition("@")[0], self._rules.name}
        if any(len(name) > 3 and name in lowered for name in names):  # noqa: PLR2004
            remainder = min(len(lowered) - len(n) for n in names if len(n) > 3 and n in lowered)  # noqa: PLR2004
            if remainder < SHORTEST_PASSWORD:
                raise WeakPassword("contains_name")

    def disable(self, row: Account, now: datetime) -> None:
        """Nobody signs in as this person any more; ending what runs is a sign-out's business."""
        writing(self._session)
        row.disabled_at = now
        self._session.flush()

    def enable(self, row: Account, now: datetime) -> None:
        """Let the person sign in again."""
        writing(self._session)
        row.disabled_at = None
        self._session.flush()

    def claims_for(self, account_id: str) -> Json:
        """The person's standard claims, with `updated_at` as a number of seconds."""
        row = self._session().row(_CLAIMS, a=account_id)
        return {**row.claims, "updated_at": int(row.updated_at.timestamp())}

    def credentials(self, account_id: str) -> Sequence[Credential]:
        """A person's passkeys, the oldest first."""
        query = select(Credential).where(Credential.account_id == account_id)
        return self._session.scalars(query.order_by(Credential.id)).all()

    def credential(self, credential_id: bytes) -> Credential | None:
        """The passkey with this id."""
        query = select(Credential).where(Credential.credential_id == credential_id)
        return self._session.scalars(
            query, execution_options={"populate_existing": True}
        ).one_or_none()

    def add_credential(self, row: Credential) -> None:
        """Keep a new passkey."""
        writing(self._session)
        self._session.add(row)
        self._session.flush()

    def rename_credential(self, account_id: str, number: int, name: str) -> bool:
        """Call a passkey something else."""
        row = self._own(account_id, number)
        if row is None:
            return False
        writing(self._session)
        row.name = label(name) or row.name
        self._session.flush()
        return True

    def remove_credential(self, account_id: str, number: int) -> bool:
        """Forget a passkey; raises `LastWayIn`. The account is held meanwhile, so that two who
        remove at once cannot both leave the other's behind.
        """
        writing(self._session)
        held = select(Account.password_hash).where(Account.id == account_id).with_for_update()
        has_password = self._session.scalars(held).one() is not None
        row = self._own(account_id, number)
        if row is None:
            return False
        if not has_password and len(self.credentials(account_id)) == 1:
            raise LastWayIn
        self._session.delete(row)
        self._session.flush()
        return True

    def _own(self, account_id: str, number: int) -> Credential | None:
        row = self._session.get(Credential, number, populate_existing=True)
        return row if row is not None and row.account_id == account_id else None

    def _by_key(self, key: str) -> Account | None:
        query = select(Account).where(Account.username_key == key)
        return self._session.scalars(
            query, execution_options={"populate_existing": True}
        ).one_or_none()


def username_key(username: str) -> str:
    """One spelling for all that a person may type (PWD-07)."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def label(name: str) -> str:
    """What a person calls something, as one line of text that every database can keep."""
    return "".join(char for char in name if char.isprintable()).strip()[:LONGEST_LABEL]
