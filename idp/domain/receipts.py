"""Receipts: what one sign-out concerned, line by line, and what became of each.

A receipt never claims more than we know: told is not confirmed, and what lives on says until
when (promise P8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from idp.crypto.secrets import new_id
from idp.store import DbSession, writing
from idp.store.system import Receipt, ReceiptLine

__all__ = [
    "ASKED",
    "CLOSING",
    "CONFIRMED",
    "ENDED",
    "FAILED",
    "LAPSED",
    "LIVES",
    "RETRYING",
    "SURVIVES",
    "TELLING",
    "TOLD",
    "Concern",
]
__all__ += ["Receipt", "ReceiptLine", "Receipts"]

ENDED = "ended"  # over, here and now
TELLING = "telling"  # an app is being told
TOLD = "told"  # the app has confirmed
ASKED = "asked"  # this browser was given the address that asks the app; nothing confirms it
RETRYING = "retrying"  # the app did not answer well; we try again
FAILED = "failed"  # given up, or refused by the app
CLOSING = "closing"  # over at every API as soon as its guard hears of it, within moments
LIVES = "lives"  # goes on until a stated time
CONFIRMED = "confirmed"  # a guard has said that it knows
LAPSED = "lapsed"  # a guard fell silent, and trusts nothing it knew before
SURVIVES = "survives"  # not part of this sign-out, and named for that reason

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing a sign-out concerns. `kind` is session, line, offline, access, app,
    frontchannel, guard or stream; access says at which API.
    """

    kind: str
    name: str
    reference: str
    state: str
    until: datetime | None = None
    audience: str | None = None


class Receipts:
    """The records of all sign-outs, for the people they concern."""

    def __init__(self, session: DbSession, kept: timedelta) -> None:
        self._session = session
        self._kept = kept

    def write(
        self,
        account_id: str,
        concerns: Sequence[Concern],
        *,
        scope: str,
        reason: str,
        by: str,
        now: datetime,
    ) -> tuple[Receipt, list[ReceiptLine]]:
        """Write a sign-out down, in the transaction that carries it out."""
        receipt = Receipt(
            id=new_id(), account_id=account_id, scope=scope, reason=reason, by=by, at=now
        )
        lines = [_line(receipt.id, concern, now) for concern in concerns]
        self._session.add(receipt)
        self._session.add_all(lines)
        self._session.flush()
        return receipt, lines

    def add(self, receipt_id: str, concerns: Sequence[Concern], now: datetime) -> list[ReceiptLine]:
        """Write down on a receipt who else is concerned, or what became known afterwards."""
        writing(self._session)
        lines = [_line(receipt_id, concern, now) for concern in concerns]
        self._session.add_all(lines)
        self._session.flush()
        return lines

    def find(self, receipt_id: str) -> Receipt | None:
        """A receipt by its id."""
        return self._session.get(Receipt, receipt_id)

    def lines(self, receipt_id: str) -> list[ReceiptLine]:
        """The lines of a receipt as they stand now."""
        query = select(ReceiptLine).where(ReceiptLine.receipt_id == receipt_id)
        return list(
            self._session.scalars(
                query.order_by(ReceiptLine.id), execution_options={"populate_existing": True}
            )
        )

    def of_account(self, account_id: str, limit: int = 50) -> list[Receipt]:
        """The newest sign-outs of a person."""
        return self.newest(account_id, limit)

    def newest(self, account_id: str | None, limit: int) -> list[Receipt]:
        """The newest sign-outs of one person, or of all."""
        query = select(Receipt).order_by(Receipt.at.desc()).limit(limit)
        if account_id is not None:
            query = query.where(Receipt.account_id == account_id)
        return list(self._session.scalars(query))

    def of_the_last_hour(self, now: datetime) -> list[tuple[str, str, int]]:
        """How many sign-outs there were, by scope and reason."""
        query = select(Receipt.scope, Receipt.reason, func.count()).where(Receipt.at > now - HOUR)
        grouped = query.group_by(Receipt.scope, Receipt.reason)
        return [(scope, reason, number) for scope, reason, number in self._session.execute(grouped)]

    def mark(self, line_id: int, state: str, until: datetime | None, now: datetime) -> None:
        """What became of one line; `until` is when we try again, or stop knowing."""
        writing(self._session)
        self._session.execute(
            update(ReceiptLine)
            .where(ReceiptLine.id == line_id)
            .values(state=state, until=until, updated_at=now)
        )

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget receipts older than they are kept; returns how many went."""
        writing(self._session)
        old = select(Receipt.id).where(Receipt.at <= now - self._kept).limit(limit)
        ids = list(self._session.scalars(old))
        self._session.execute(delete(ReceiptLine).where(ReceiptLine.receipt_id.in_(ids)))
        self._session.execute(delete(Receipt).where(Receipt.id.in_(ids)))
        return len(ids)


def _line(receipt_id: str, concern: Concern, now: datetime) -> ReceiptLine:
    return ReceiptLine(
        receipt_id=receipt_id,
        kind=concern.kind,
        name=concern.name,
        reference=concern.reference,
        state=concern.state,
        until=concern.until,
        audience=concern.audience,
        updated_at=now,
    )
