"""Guards that follow the feed hold leases: what each has confirmed, and how long it may trust it.

A lease is written before what it is for is read. So a sign-out that looks at the leases after
its rows were numbered sees every guard that could have missed them. And what was answered
before that moment is trusted for `max_silence` at most: no wait is ever longer.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from idp.domain.listeners import Head
from idp.domain.rules import Rules
from idp.store import DbSession, writing
from idp.store.system import GuardLease

__all__ = ["Lease", "Leases"]

LOOK_EVERY_SECONDS = 0.01
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A guard that listens, the APIs it stands before, and how far it has come."""

    client_id: str
    guard: str
    resources: tuple[str, ...]
    epoch: str
    confirmed: int
    until: datetime

    @property
    def holder(self) -> tuple[str, str]:
        return self.client_id, self.guard

    def covers(self, head: Head) -> bool:
        """Whether it has heard everything up to here."""
        return self.epoch == head.epoch and self.confirmed >= head.seq


class Leases:
    """Who listens, and who has heard."""

    def __init__(self, session: DbSession, engine: Engine, rules: Rules) -> None:
        self._session = session
        self._engine = engine
        self._rules = rules
        self._written: dict[tuple[str, str], Lease] = {}

    def renew(self, lease: Lease) -> None:
        """A guard says how far it has come. It is not written again as long as what this
        process wrote before says as much.
        """
        known = self._written.get(lease.holder)
        if known is not None and known.until >= lease.until and self._says_as_much(known, lease):
            return
        spare = timedelta(0) if self._rules.strict else self._rules.max_silence
        said = {
            "resources": list(lease.resources),
            "epoch": lease.epoch,
            "confirmed": lease.confirmed,
            "until": lease.until + spare,
        }
        writing(self._session)
        on_postgres = self._session.get_bind().dialect.name == "postgresql"
        insert = postgresql.insert if on_postgres else sqlite.insert
        put = insert(GuardLease).values(client_id=lease.client_id, guard=lease.guard, **said)
        self._session.execute(
            put.on_conflict_do_update(index_elements=["client_id", "guard"], set_=said),
            execution_options={"synchronize_session": False},
        )
        if len(self._written) >= MOST_KNOWN:
            self._written.clear()
        self._written[lease.holder] = replace(lease, until=lease.until + spare)

    def live(self, now: datetime) -> list[Lease]:
        """Every guard that listens now."""
        with self._engine.connect() as connection:
            rows = connection.execute(_ROWS.where(GuardLease.until > now)).all()
        return [
            Lease(
                client_id=row.client_id,
                guard=row.guard,
                resources=tuple(row.resources),
                epoch=row.epoch,
                confirmed=row.confirmed,
                until=row.until,
            )
            for row in rows
        ]

    def settle(self, head: Head, now: datetime) -> list[tuple[Lease, bool]]:
        """Wait until every guard that listens has confirmed this, or can no longer trust what
        it knew before; whether each has. No connection is held meanwhile.
        """
        began = time.monotonic()
        listening = self.live(now)
        confirmed: set[tuple[str, str]] = set()
        while True:
            passed = timedelta(seconds=time.monotonic() - began)
            live = {lease.holder: lease for lease in self.live(now + passed)}
            confirmed |= {holder for holder, lease in live.items() if lease.covers(head)}
            open_ = [one for one in listening if one.holder in live.keys() - confirmed]
            if not open_ or passed >= self._rules.max_silence:
                return [(lease, lease.holder in confirmed) for lease in listening]
            time.sleep(LOOK_EVERY_SECONDS)

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget guards that are gone; returns how many."""
        writing(self._session)
        key = tuple_(GuardLease.client_id, GuardLease.guard)
        over = select(GuardLease.client_id, GuardLease.guard).where(GuardLease.until <= now)
        gone = delete(GuardLease).where(key.in_(over.limit(limit)))
        return self._session.connection().execute(gone).rowcount

    def _says_as_much(self, known: Lease, lease: Lease) -> bool:
        """Without strict sign-out nobody waits for a number, so that any number is as good."""
        same = (known.epoch, known.confirmed) == (lease.epoch, lease.confirmed)
        return same or not self._rules.strict


_ROWS = select(
    GuardLease.client_id,
    GuardLease.guard,
    GuardLease.resources,
    GuardLease.epoch,
    GuardLease.confirmed,
    GuardLease.until,
)
