"""What waits for one stream: notices in the outbox that are pushed, or fetched and confirmed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select, update

from idp.domain.deliveries import HELD, OPEN, POLL, WAITING, Deliveries, Delivery, Outcome
from idp.store import DbSession, writing
from idp.store.signals import Stream

ENABLED, PAUSED, DISABLED = "enabled", "paused", "disabled"


class StreamQueue:
    """The part of the outbox that belongs to streams."""

    def __init__(self, session: DbSession, deliveries: Deliveries) -> None:
        self._session = session
        self._deliveries = deliveries

    def put(
        self, stream: Stream, details: dict[str, object], line_id: int | None, now: datetime
    ) -> None:
        """Promise an event to a stream, in the transaction of what it tells of."""
        self._deliveries.put(
            sink=stream.method,
            client_id=stream.client_id,
            address=stream.endpoint_url or "",
            details=details,
            receipt_line_id=line_id,
            now=now,
            stream_id=stream.id,
            state=_state(stream),
        )

    def fetch(self, stream_id: str, limit: int) -> list[Delivery]:
        """The oldest that nobody has confirmed; they stay until somebody does."""
        return list(self._session.scalars(_of(stream_id).order_by(Delivery.id).limit(limit)))

    def pending(self, stream_id: str) -> bool:
        """Whether there is anything to fetch; a look that takes no lock."""
        return self._session.scalars(_of(stream_id).limit(1)).first() is not None

    def size(self, stream_id: str) -> int:
        """How many events nobody has confirmed."""
        count = select(func.count()).select_from(Delivery)
        waits = count.where(Delivery.stream_id == stream_id, Delivery.state.in_(OPEN))
        return self._session.scalar(waits) or 0

    def settle(
        self, stream_id: str, heard: Iterable[str], refused: dict[str, str], now: datetime
    ) -> None:
        """What the receiver says of events it has fetched: heard, or refused and why."""
        outcomes = {jti: Outcome(delivered=True, answer="acknowledged") for jti in heard}
        outcomes |= {
            jti: Outcome(delivered=False, refused=True, answer=why) for jti, why in refused.items()
        }
        if not outcomes:
            return
        writing(self._session)
        for row in self._session.scalars(_of(stream_id).with_for_update()):
            outcome = outcomes.get(row.details["jti"])
            if outcome is not None:
                self._deliveries.finish(row.id, outcome, now)

    def follow(self, stream: Stream, now: datetime) -> None:
        """The stream was changed: what waits goes where it says now, or waits on."""
        if stream.status == DISABLED:
            self.give_up(stream.id, "the stream is disabled", now)
            return
        writing(self._session)
        self._session.execute(
            update(Delivery)
            .where(Delivery.stream_id == stream.id, Delivery.state.in_(OPEN))
            .values(
                sink=stream.method,
                address=stream.endpoint_url or "",
                state=_state(stream),
                due_at=now,
            ),
            execution_options={"synchronize_session": False},
        )

    def give_up(self, stream_id: str, why: str, now: datetime) -> None:
        """Nobody wants to hear any more of what waits."""
        writing(self._session)
        query = select(Delivery.id).where(Delivery.stream_id == stream_id, Delivery.state.in_(OPEN))
        for delivery_id in list(self._session.scalars(query)):
            self._deliveries.finish(
                delivery_id, Outcome(delivered=False, refused=True, answer=why), now
            )


def _state(stream: Stream) -> str:
    """What is pushed leaves by itself, while the stream is enabled."""
    pushed = stream.method != POLL and stream.status == ENABLED
    return WAITING if pushed else HELD


def _of(stream_id: str) -> Select[Delivery]:
    return select(Delivery).where(
        Delivery.stream_id == stream_id, Delivery.state == HELD, Delivery.sink == POLL
    )


def too_soon(stream: Stream, interval: timedelta, now: datetime) -> bool:
    """Whether the last verification was a moment ago; a clock set back is not waited for."""
    last = stream.verified_at
    return last is not None and timedelta(0) <= now - last < interval
