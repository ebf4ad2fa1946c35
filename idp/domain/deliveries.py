"""The outbox: notices that must reach somebody, kept until they do or are given up.

A notice is written in the transaction of what it tells of. A worker leases it, tries, and
says what came of it. Any number of workers is safe: a lease has one holder.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update

from idp.domain.outbound import Outbound
from idp.domain.receipts import FAILED, RETRYING, TOLD, Receipts
from idp.domain.rules import Rules
from idp.store import DbSession, writing
from idp.store.system import Delivery

__all__ = ["BACKCHANNEL", "CONFIRMED", "DEAD", "HELD", "OPEN", "POLL", "PUSH"]
__all__ += ["REFUSED", "STATES", "WAITING"]
__all__ += ["Backlog", "Deliveries", "Delivery", "Outcome", "Try", "pause_asked"]

BACKCHANNEL = "backchannel"
PUSH = "push"
POLL = "poll"

WAITING = "waiting"
HELD = "held"  # whoever it is for fetches it, or wants to be told later
CONFIRMED = "confirmed"
REFUSED = "refused"
DEAD = "dead"
STATES = (WAITING, HELD, CONFIRMED, REFUSED, DEAD)
OPEN = (WAITING, HELD)

LEASE = timedelta(seconds=30)
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_NUMBER = 6  # digits: eleven days is not a pause
FINISHED_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try: delivered, refused for good, or worth another try."""

    delivered: bool
    refused: bool = False
    answer: str = ""
    retry_after: timedelta | None = None


Try = Callable[[Outbound], Outcome]
"""One try: all that is to be sent is made, and only the network is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is not delivered: still tried, or given up."""

    waiting: int
    dead: int
    oldest: timedelta


class Deliveries:
    """Who must still be told."""

    def __init__(self, session: DbSession, receipts: Receipts, rules: Rules) -> None:
        self._session = session
        self._receipts = receipts
        self._rules = rules

    def put(
        self,
        *,
        sink: str,
        client_id: str,
        address: str,
        details: Mapping[str, Any],
        receipt_line_id: int | None,
        now: datetime,
        stream_id: str | None = None,
        state: str = WAITING,
    ) -> None:
        """Promise a notice; it leaves after the commit."""
        writing(self._session)
        self._session.add(
            Delivery(
                sink=sink,
                client_id=client_id,
                address=address,
                details=dict(details),
                receipt_line_id=receipt_line_id,
                stream_id=stream_id,
                state=state,
                created_at=now,
                due_at=now,
            )
        )
        self._session.flush()

    def due(self, now: datetime) -> bool:
        """Whether there is anything to lease; a look that takes no lock."""
        return self._session.scalars(_due(now).limit(1)).first() is not None

    def lease(self, now: datetime, limit: int) -> list[Delivery]:
        """Take what is due, for this worker alone, until the lease runs out."""
        writing(self._session)
        due = _due(now).order_by(Delivery.due_at).limit(limit).with_for_update(skip_locked=True)
        ids = list(self._session.scalars(due))
        self._session.execute(
            update(Delivery).where(Delivery.id.in_(ids)).values(leased_until=now + LEASE),
            execution_options={"synchronize_session": False},
        )
        taken = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id)
        return list(self._session.scalars(taken, execution_options={"populate_existing": True}))

    def finish(self, delivery_id: int, outcome: Outcome, now: datetime) -> None:
        """Say what came of a try; the receipt says the same."""
        writing(self._session)
        row = self._session.get(Delivery, delivery_id, populate_existing=True)
        if row is None or row.state not in OPEN:
            return
        row.tries += 1
        row.leased_until = None
        row.last_answer = outcome.answer[:500]
        if outcome.delivered:
            self._close(row, CONFIRMED, TOLD, now)
        elif outcome.refused:
            self._close(row, REFUSED, FAILED, now)
        elif now - row.created_at >= self._rules.delivery_max_age:
            self._close(row, DEAD, FAILED, now)
        else:
            row.due_at = now + (outcome.retry_after or _pause(row.tries))
            self._mark(row, RETRYING, row.due_at, now)
        self._session.flush()

    def newest(self, *, state: str | None = None, limit: int = 100) -> list[Delivery]:
        """The newest notices, of one state if asked."""
        query = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
        if state is not None:
            query = query.where(Delivery.state == state)
        return list(self._session.scalars(query))

    def backlog(self, now: datetime) -> Backlog:
        """How much is undelivered, and how long the oldest has waited."""
        count = select(func.count()).select_from(Delivery)
        oldest = self._session.scalar(
            select(func.min(Delivery.created_at)).where(Delivery.state == WAITING)
        )
        return Backlog(
            waiting=self._session.scalar(count.where(Delivery.state == WAITING)) or 0,
            dead=self._session.scalar(count.where(Delivery.state == DEAD)) or 0,
            oldest=now - oldest if oldest is not None else timedelta(0),
        )

    def resend(self, delivery_id: int, now: datetime) -> bool:
        """Start a notice over, whatever became of it; False when there is none."""
        writing(self._session)
        row = self._session.get(Delivery, delivery_id, populate_existing=True)
        if row is None:
            return False
        row.state = HELD if row.sink == POLL else WAITING
        row.tries, row.leased_until, row.finished_at = 0, None, None
        row.created_at = row.due_at = now
        self._mark(row, RETRYING, now, now)
        self._session.flush()
        return True

    def sweep(self, now: datetime, limit: int) -> int:
        """Give up what nobody fetches, and forget finished notices after a week; returns how
        many rows went.
        """
        writing(self._session)
        self._give_up(now, limit)
        old = select(Delivery.id).where(Delivery.finished_at <= now - FINISHED_KEPT).limit(limit)
        connection = self._session.connection()
        return connection.execute(delete(Delivery).where(Delivery.id.in_(old))).rowcount

    def _give_up(self, now: datetime, limit: int) -> None:
        oldest = now - self._rules.delivery_max_age
        held = select(Delivery).where(Delivery.state == HELD, Delivery.created_at <= oldest)
        for row in self._session.scalars(held.limit(limit).with_for_update(skip_locked=True)):
            row.last_answer = "nobody fetched it"
            self._close(row, DEAD, FAILED, now)
        self._session.flush()

    def _close(self, row: Delivery, state: str, receipt_state: str, now: datetime) -> None:
        row.state = state
        row.finished_at = now
        self._mark(row, receipt_state, None, now)

    def _mark(self, row: Delivery, state: str, until: datetime | None, now: datetime) -> None:
        if row.receipt_line_id is not None:
            self._receipts.mark(row.receipt_line_id, state, until, now)


def _due(now: datetime) -> Select[int]:
    """Whose moment has come. One that is farther off than any pause is long, and a lease that
    is longer than any, are from before the clock was set back: they are not waited for.
    """
    return select(Delivery.id).where(
        Delivery.state == WAITING,
        or_(Delivery.due_at <= now, Delivery.due_at > now + LONGEST_PAUSE + LEASE),
        or_(
            Delivery.leased_until.is_(None),
            Delivery.leased_until <= now,
            Delivery.leased_until > now + 2 * LEASE,
        ),
    )


def pause_asked(headers: Mapping[str, str]) -> timedelta | None:
    """What the other side asks for in seconds, within reason (RFC 9110 section 10.2.3)."""
    asked = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    if not asked.isdecimal() or len(asked) > LONGEST_NUMBER:
        return None
    return min(timedelta(seconds=int(asked)), LONGEST_PAUSE)


def _pause(tries: int) -> timedelta:
    """Twice as long each time, up to an hour, and never quite the same for two (BCL-03)."""
    longest = min(FIRST_PAUSE * 2 ** min(tries - 1, 12), LONGEST_PAUSE)
    return timedelta(seconds=longest.total_seconds() * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
