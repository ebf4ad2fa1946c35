"""What is asked for in one place and answered in another: the device grant (RFC 8628) and CIBA.

An app asks and is given a handle; a person says yes or no in their own browser; the app brings
the handle back until it has an answer. One conditional statement decides who answers, and
another who spends the answer (promise P3).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select, update

from idp.crypto.secrets import Digest, Handle, digest, new_handle, new_id, seal, unseal
from idp.domain import user_code
from idp.store import DbSession, writing
from idp.store.approvals import Approval

__all__ = ["ALLOWED", "CIBA", "DENIED", "DEVICE", "PING", "WAITING", "Approval", "Approvals"]
__all__ += ["Asked", "Given"]

DEVICE = "device"
CIBA = "ciba"
PING = "ping"

WAITING = "waiting"
ALLOWED = "allowed"
DENIED = "denied"

PREFIXES = {DEVICE: "dc_", CIBA: "ar_"}
FIRST_INTERVAL = 5
SLOWER_BY = 5
EXPIRED_KEPT = timedelta(hours=1)  # so that a late app hears that it is late


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the app is told of it: the handle it polls with, and what a person types."""

    row: Approval
    handle: Handle
    user_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a person's yes gave: the facts a line is started with."""

    grant_id: str
    generation: int
    auth_time: int
    acr: str
    amr: tuple[str, ...]


class Approvals:
    """Where requests wait for a person, and answers for an app."""

    def __init__(self, session: DbSession, key: bytes) -> None:
        self._session = session
        self._key = key

    def ask(
        self,
        kind: str,
        client_id: str,
        asked: Mapping[str, Any],
        lifetime: timedelta,
        now: datetime,
        *,
        account_id: str | None = None,
        notify: str | None = None,
    ) -> Asked:
        """Keep a request until it is answered. `account_id` is whom it is put to, if that is
        known; `notify` the secret that the app wants to hear of the answer with, which is sealed.
        """
        writing(self._session)
        handle, approval_id = new_handle(PREFIXES[kind]), new_id()
        code = self._fresh_code() if kind == DEVICE else ""
        secret = json.dumps({"handle": handle, "notify": notify}).encode()
        row = Approval(
            id=approval_id,
            kind=kind,
            digest=digest(handle),
            user_code=self._digest(code) if code else None,
            client_id=client_id,
            account_id=account_id,
            asked=dict(asked),
            given={},
            sealed=seal(self._key, secret, approval_id) if notify is not None else None,
            interval=FIRST_INTERVAL,
            created_at=now,
            expires_at=now + lifetime,
        )
        self._session.add(row)
        self._session.flush()
        return Asked(row, handle, code)

    def find(self, kind: str, handle: str) -> Approval | None:
        """What a handle stands for, over or not; nothing is changed."""
        query = select(Approval).where(Approval.digest == digest(handle), Approval.kind == kind)
        return self._one(query)

    def get(self, approval_id: str) -> Approval | None:
        """The same by its public name."""
        return self._one(select(Approval).where(Approval.id == approval_id))

    def typed(self, code: str, now: datetime) -> Approval | None:
        """The request a code is for, however it was typed, as long as it waits for an answer."""
        meant = user_code.read(code)
        if meant is None:
            return None
        query = select(Approval).where(
            Approval.user_code == self._digest(meant),
            Approval.state == WAITING,
            Approval.expires_at > now,
        )
        return self._one(query)

    def put_to(self, account_id: str, now: datetime) -> list[Approval]:
        """The requests that wait for this person's answer, the oldest first."""
        query = select(Approval).where(*_waits_for(account_id, now))
        return list(self._session.scalars(query.order_by(Approval.created_at, Approval.id)))

    def number_put_to(self, account_id: str, now: datetime) -> int:
        """How many there are."""
        return self._session.scalar(select(func.count()).where(*_waits_for(account_id, now))) or 0

    def unanswered(self, client_id: str, account_id: str, now: datetime) -> int:
        """How many of them one app has put to the person."""
        waiting = (*_waits_for(account_id, now), Approval.client_id == client_id)
        return self._session.scalar(select(func.count()).where(*waiting)) or 0

    def polled(self, row: Approval, now: datetime) -> bool:
        """Note that the app asked for an answer that is not there yet. False when that was too
        soon: the next time must be five seconds farther off (RFC 8628 section 3.5).
        """
        pause = timedelta(seconds=row.interval)
        in_time = (
            Approval.next_poll_at.is_(None)
            | (Approval.next_poll_at <= now)
            | (Approval.next_poll_at > now + pause)  # from before the clock was set back
        )
        if self._change(row, in_time, next_poll_at=now + pause):
            return True
        later = now + pause + timedelta(seconds=SLOWER_BY)
        self._change(row, interval=Approval.interval + SLOWER_BY, next_poll_at=later)
        return False

    def answer(self, row: Approval, account_id: str, state: str, now: datetime) -> bool:
        """A person says yes or no. One statement decides: False when somebody has answered
        before, when it is too late, or when it was put to somebody else.
        """
        whose = Approval.account_id.is_(None) | (Approval.account_id == account_id)
        still_open = (Approval.state == WAITING, Approval.expires_at > now, whose)
        return self._change(
            row, *still_open, account_id=account_id, state=state, answered_at=now, user_code=None
        )

    def give(self, row: Approval, session_id: str, given: Given) -> None:
        """Write down what the yes gave, and in which session it was said."""
        facts = asdict(given) | {"amr": list(given.amr)}
        self._change(row, session_id=session_id, given=facts)

    def spend(self, row: Approval, now: datetime) -> bool:
        """Use the yes up. Of any number who try, one gets it."""
        fresh = (Approval.state == ALLOWED, Approval.spent_at.is_(None), Approval.expires_at > now)
        return self._change(row, *fresh, spent_at=now)

    def secrets(self, row: Approval) -> tuple[str, str] | None:
        """The handle and the secret to notify the app with, if it wants to be (CIBA ping)."""
        if row.sealed is None:
            return None
        said = json.loads(unseal(self._key, row.sealed, row.id))
        return said["handle"], said["notify"]

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget what is over; returns how many rows went."""
        writing(self._session)
        old = select(Approval.id).where(Approval.expires_at <= now - EXPIRED_KEPT).limit(limit)
        gone = delete(Approval).where(Approval.id.in_(old))
        return self._session.connection().execute(gone).rowcount

    def _change(self, row: Approval, *conditions: Any, **values: object) -> bool:  # noqa: ANN401
        writing(self._session)
        changed = self._session.connection().execute(
            update(Approval).where(Approval.id == row.id, *conditions).values(**values)
        )
        return changed.rowcount == 1

    def _one(self, query: Any) -> Approval | None:  # noqa: ANN401 - a select of rows
        found: Approval | None = self._session.scalars(
            query, execution_options={"populate_existing": True}
        ).one_or_none()
        return found

    def _fresh_code(self) -> str:
        code = user_code.new_user_code()
        taken = select(exists().where(Approval.user_code == self._digest(code)))
        return self._fresh_code() if self._session.scalar(taken) else code

    def _digest(self, code: str) -> Digest:
        """A code is too short for a plain hash: without the key nobody can try them all (P6)."""
        return Digest(hmac.new(self._key, code.encode(), hashlib.sha256).digest())


def _waits_for(account_id: str, now: datetime) -> tuple[Any, ...]:
    return (
        Approval.account_id == account_id,
        Approval.state == WAITING,
        Approval.expires_at > now,
    )
