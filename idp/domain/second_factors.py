"""What people prove beside a password: an app that shows codes, and codes on paper.

Each works once: a time step is accepted if it is later than the last one, a code on paper if
it was not used, and one conditional statement says so in the transaction of the sign-in it
lets through (promise P3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from idp.crypto.secrets import Digest, new_id, seal, unseal
from idp.store import DbSession, writing
from idp.store.people import Account, RecoveryCode, Totp

__all__ = ["Enrolment", "RecoveryCode", "SecondFactors", "Totp"]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An authenticator app in the making. Its secret is sealed already, for the row that it will
    be kept in.
    """

    id: str
    account_id: str
    sealed: bytes


class SecondFactors:
    """The authenticator apps and recovery codes of everybody."""

    def __init__(self, session: DbSession, key: bytes) -> None:
        self._session = session
        self._key = key

    def app(self, account_id: str) -> Totp | None:
        """A person's authenticator app. They have one at most; another takes its place."""
        query = select(Totp).where(Totp.account_id == account_id)
        return self._session.scalars(
            query, execution_options={"populate_existing": True}
        ).one_or_none()

    def enrolled(self, account_id: str) -> bool:
        """Whether a person has one."""
        query = select(Totp.id).where(Totp.account_id == account_id)
        return self._session.connection().execute(query).first() is not None

    def new(self, account_id: str, secret: bytes) -> Enrolment:
        """Seal a secret for a person, and keep nothing."""
        row_id = new_id()
        return Enrolment(row_id, account_id, seal(self._key, secret, _bound(row_id, account_id)))

    def secret(self, of: Enrolment | Totp) -> bytes:
        """Open it; raises `Unsealable` for one that was sealed for another row or person."""
        return unseal(self._key, of.sealed, _bound(of.id, of.account_id))

    def enrol(self, made: Enrolment, step: int, now: datetime, *, in_place: bool = False) -> bool:
        """Keep it from now on; `in_place` of another one, and of none otherwise. The account is
        held meanwhile, so that nobody's first app can push out another.
        """
        writing(self._session)
        self._session.execute(
            select(Account.id).where(Account.id == made.account_id).with_for_update()
        )
        if self.enrolled(made.account_id) and not in_place:
            return False
        self._session.execute(delete(Totp).where(Totp.account_id == made.account_id))
        self._session.add(
            Totp(
                id=made.id,
                account_id=made.account_id,
                sealed=made.sealed,
                last_step=step,
                created_at=now,
                last_used_at=now,
            )
        )
        self._session.flush()
        return True

    def accept(self, row: Totp, step: int, now: datetime) -> bool:
        """Whether the code of this step is the first of its step, or of a later one."""
        writing(self._session)
        later = update(Totp).where(Totp.id == row.id, Totp.last_step < step)
        moved = later.values(last_step=step, last_used_at=now)
        return self._session.connection().execute(moved).rowcount == 1

    def remove(self, account_id: str) -> bool:
        """Forget the app, and with it the codes that stand in for it."""
        writing(self._session)
        connection = self._session.connection()
        connection.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
        gone = connection.execute(delete(Totp).where(Totp.account_id == account_id))
        return gone.rowcount == 1

    def recovery_codes(self, account_id: str) -> Sequence[RecoveryCode]:
        """A person's codes on paper, used or not."""
        query = select(RecoveryCode).where(RecoveryCode.account_id == account_id)
        return self._session.scalars(query, execution_options={"populate_existing": True}).all()

    def renew_recovery_codes(
        self, account_id: str, digests: Iterable[Digest], now: datetime
    ) -> None:
        """Other codes from now on; those before them are worth nothing."""
        writing(self._session)
        self._session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
        self._session.add_all(
            RecoveryCode(digest=kept, account_id=account_id, created_at=now) for kept in digests
        )
        self._session.flush()

    def spend_recovery_code(self, account_id: str, kept: Digest, now: datetime) -> bool:
        """Use a code up; of any number who bring it, one is told yes."""
        writing(self._session)
        unused = (
            RecoveryCode.digest == kept,
            RecoveryCode.account_id == account_id,
            RecoveryCode.used_at.is_(None),
        )
        spent = update(RecoveryCode).where(*unused).values(used_at=now)
        return self._session.connection().execute(spent).rowcount == 1


def _bound(row_id: str, account_id: str) -> str:
    return f"totp {row_id} {account_id}"
