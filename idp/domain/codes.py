"""Everything usable once: authorization codes, parked sign-ins, challenges, invitations.

One conditional statement decides who spends a code; there is exactly one winner, whatever
the number of processes, on SQLite and PostgreSQL alike (promise P3).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from idp.crypto.secrets import Digest, Handle, digest, new_handle
from idp.domain.approvals import Approvals
from idp.store import DbSession, Prebuilt, writing
from idp.store.sessions import Code

__all__ = ["AUTHORIZATION", "CHALLENGE", "INITIAL_ACCESS", "INTERACTION", "LOGOUT", "AlreadySpent"]
__all__ += ["ENROLMENT", "PUSHED", "RESET", "SECOND_STEP", "Code", "Codes", "Gone"]

AUTHORIZATION = "authorization"
INTERACTION = "interaction"
CHALLENGE = "challenge"
INITIAL_ACCESS = "initial-access"
LOGOUT = "logout"
PUSHED = "pushed"
RESET = "reset"
SECOND_STEP = "second-step"
ENROLMENT = "enrolment"

PREFIXES = {AUTHORIZATION: "ac_", INTERACTION: "tx_", CHALLENGE: "ch_", INITIAL_ACCESS: "ia_"}
PREFIXES |= {LOGOUT: "lo_", PUSHED: "pr_", RESET: "rs_", SECOND_STEP: "st_"}
PREFIXES |= {ENROLMENT: "en_"}

_ISSUE = Prebuilt(
    insert(Code).values(
        kind=bindparam("k"),
        digest=bindparam("d"),
        details=bindparam("about"),
        created_at=bindparam("moment"),
        expires_at=bindparam("until"),
    )
)
_ONE = select(Code).where(Code.kind == bindparam("k"), Code.digest == bindparam("d"))
_SPEND = (
    update(Code)
    .where(
        Code.kind == bindparam("k"),
        Code.digest == bindparam("d"),
        Code.spent_at.is_(None),
        Code.expires_at > bindparam("moment"),
    )
    .values(spent_at=bindparam("moment"))
)


class Gone(Exception):
    """No such code, or its time is over."""


class AlreadySpent(Exception):
    """The code was used before. It carries the row, to find what the first use bought."""

    def __init__(self, code: Code) -> None:
        super().__init__("spent before")
        self.code = code


class Codes:
    """The place where things wait for their one use. What waits for a person's answer first is
    in `approvals`.
    """

    def __init__(self, session: DbSession, user_code_key: bytes) -> None:
        self._session = session
        self.approvals = Approvals(session, user_code_key)

    def issue(
        self, kind: str, details: Mapping[str, Any], lifetime: timedelta, now: datetime
    ) -> Handle:
        """Keep the details until somebody brings the handle back, once, in time."""
        handle = new_handle(PREFIXES[kind])
        self._session().change(
            _ISSUE,
            k=kind,
            d=digest(handle),
            about=dict(details),
            moment=now,
            until=now + lifetime,
        )
        return handle

    def look(self, kind: str, handle: str, now: datetime) -> Code | None:
        """The code, spent or not, as long as its time is not over; nothing is changed."""
        code = self._find(kind, handle)
        return code if code is not None and code.expires_at > now else None

    def spend(self, kind: str, handle: str, now: datetime) -> Code:
        """Use it up. Of any number who try, one gets it; raises `AlreadySpent` or `Gone`."""
        writing(self._session)
        key = {"k": kind, "d": digest(handle)}
        result = self._session.connection().execute(_SPEND, {**key, "moment": now})
        code = self._find(kind, handle)
        if result.rowcount == 1 and code is not None:
            return code
        if code is not None and code.spent_at is not None:
            raise AlreadySpent(code)
        raise Gone

    def spend_kept(self, kind: str, kept: Digest, now: datetime) -> bool:
        """The same for whoever kept the digest and not the handle: whether they are the first."""
        writing(self._session)
        key = {"k": kind, "d": kept, "moment": now}
        return self._session.connection().execute(_SPEND, key).rowcount == 1

    def replace(self, kind: str, handle: str, details: Mapping[str, Any]) -> None:
        """Park other details under the same handle, for the next step of a sign-in."""
        writing(self._session)
        self._session.execute(
            update(Code)
            .where(Code.kind == kind, Code.digest == digest(handle), Code.spent_at.is_(None))
            .values(details=dict(details))
        )

    def bought(self, kind: str, handle: str, line_id: str, keep_until: datetime) -> None:
        """Remember what a spent code bought, so that a second use can end it."""
        self._session.execute(
            update(Code)
            .where(Code.kind == kind, Code.digest == digest(handle))
            .values(line_id=line_id, expires_at=keep_until)
        )

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget what nobody can use any more; returns how many rows went."""
        writing(self._session)
        old = select(Code.digest).where(Code.expires_at <= now).limit(limit)
        result = self._session.connection().execute(delete(Code).where(Code.digest.in_(old)))
        return result.rowcount

    def _find(self, kind: str, handle: str) -> Code | None:
        return self._session.scalars(
            _ONE, {"k": kind, "d": digest(handle)}, execution_options={"populate_existing": True}
        ).one_or_none()
