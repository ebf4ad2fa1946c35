"""Doors out. `SINKS` names them; the `Courier` hands them what has been committed."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import scoped_session

from idp.domain import Provider, upkeep
from idp.domain.deliveries import Delivery, Outcome
from idp.domain.outbound import Outbound
from idp.domain.unit import Work
from idp.sinks import backchannel, ping, push

log = structlog.get_logger()

SINKS = {sink.NAME: sink for sink in (backchannel, push, ping)}

IN_FLIGHT = 16
UPKEEP_EVERY = timedelta(seconds=5)
LOOK_EVERY_SECONDS = 0.2


class Courier:
    """Takes notices from the outbox and brings them to where they belong.

    Only the courier's own thread touches the database. The network is waited for in a pool, so
    that one slow client never delays another (Back-Channel Logout 1.0 section 2.5, BCL-05).
    """

    def __init__(
        self,
        op: Provider,
        session: scoped_session[Work],
        outbound: Outbound,
        clock: Callable[[], datetime],
    ) -> None:
        self._op = op
        self._session = session
        self._outbound = outbound
        self._clock = clock
        self._flying: dict[Future[Outcome], Delivery] = {}

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; what is in flight then is tried again by the next worker."""
        kept_up_at = self._clock() - UPKEEP_EVERY
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="delivery") as pool:
            while not stop.wait(0 if self._flying else LOOK_EVERY_SECONDS):
                try:
                    self._op.sign_outs.feed.dispatch()
                    self.send(pool)
                    self.collect(timeout=LOOK_EVERY_SECONDS)
                    if abs(self._clock() - kept_up_at) >= UPKEEP_EVERY:
                        began = self._clock()
                        if not self.keep_up():
                            kept_up_at = began
                except Exception:  # a store that is away now may be back in a moment
                    self._session.rollback()
                    log.exception("background work failed; trying again")
                    stop.wait(LOOK_EVERY_SECONDS)
                finally:
                    self._session.remove()

    def run_once(self) -> int:
        """Send what is due and wait for every answer; returns how many tries were made."""
        self._op.sign_outs.feed.dispatch()
        tried = 0
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            while self.send(pool):
                tried += len(self._flying)
                while self._flying:
                    self.collect(timeout=None)
        return tried

    def send(self, pool: ThreadPoolExecutor) -> int:
        """Lease what is due and let it fly; every try carries a fresh token."""
        free = IN_FLIGHT - len(self._flying)
        deliveries = self._op.sign_outs.deliveries
        now = self._clock()
        if free <= 0 or not deliveries.due(now):
            self._session.rollback()
            return 0
        leased = deliveries.lease(now, free)
        self._session.commit()
        for delivery in leased:
            attempt = SINKS[delivery.sink].prepare(self._op, delivery, now)
            future = pool.submit(attempt, self._outbound)
            self._flying[future] = delivery
        self._session.commit()
        return len(leased)

    def collect(self, timeout: float | None) -> None:
        """Write down what came of the tries that are over."""
        if not self._flying:
            return
        done, _ = wait(self._flying, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in done:
            delivery = self._flying.pop(future)
            self._op.sign_outs.deliveries.finish(delivery.id, future.result(), self._clock())
            self._session.commit()

    def keep_up(self) -> bool:
        """Sessions whose time is over end; keys roll; old rows go, a small batch at a time.
        True when there is more of it, to be done at once: however many sign in, upkeep keeps up.
        """
        now = self._clock()
        self._op.keys.ensure(now)
        self._session.commit()
        ended = upkeep.end_overdue_sessions(self._op, now)
        self._session.commit()
        gone = upkeep.sweep(self._op, now)
        self._session.commit()
        return ended >= upkeep.ENDED_AT_ONCE or gone >= upkeep.BATCH
