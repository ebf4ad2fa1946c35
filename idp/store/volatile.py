"""Short-lived facts that processes share: counted, seen, forgotten.

They live beside the truth, not in it: each is written in a short transaction of its own, so
that a guess counts even when the request it belongs to is undone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from idp.store import WRITES
from idp.store.system import Fact

CLOCKS_DIFFER = timedelta(minutes=1)
COUNTS = "throttle:"


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are, and when counting starts over by itself."""

    total: int
    ends: datetime


class Volatile(Protocol):
    """Counts that expire by themselves."""

    def count(self, key: str, until: datetime, now: datetime) -> int:
        """One more; returns how many there are now. A new count ends at `until`."""
        ...

    def look(self, key: str, now: datetime) -> Count | None:
        """The count as it is, if there is one; nothing is changed."""
        ...

    def forget(self, *keys: str) -> None:
        """Start over."""
        ...

    def sweep(self, now: datetime, limit: int) -> int:
        """Remove some of what has expired; returns how much. Redis does that by itself."""
        ...


class SqlVolatile:
    """Facts in the database, for a provider that has no Redis."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self, key: str, until: datetime, now: datetime) -> int:
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        fresh = insert(Fact).values(key=key, count=1, value=None, expires_at=until)
        # A count that ends later than a new one would is from before the clock was set back.
        over = (Fact.expires_at <= now) | (Fact.expires_at > until + CLOCKS_DIFFER)
        counted = fresh.on_conflict_do_update(
            index_elements=[Fact.key],
            set_={
                "count": case((over, 1), else_=Fact.count + 1),
                "expires_at": case((over, until), else_=Fact.expires_at),
            },
        ).returning(Fact.count)
        with self._engine.connect().execution_options(**{WRITES: True}) as connection:
            total = connection.execute(counted).scalar_one()
            connection.commit()
        return total

    def look(self, key: str, now: datetime) -> Count | None:
        running = select(Fact.count, Fact.expires_at).where(Fact.key == key, Fact.expires_at > now)
        with self._engine.connect() as connection:
            row = connection.execute(running).one_or_none()
        return Count(*row) if row is not None else None

    def forget(self, *keys: str) -> None:
        with self._engine.connect().execution_options(**{WRITES: True}) as connection:
            connection.execute(delete(Fact).where(Fact.key.in_(keys)))
            connection.commit()

    def sweep(self, now: datetime, limit: int) -> int:
        counts = Fact.key.startswith(COUNTS)  # other facts are not ours to forget
        over = select(Fact.key).where(Fact.expires_at <= now, counts).limit(limit)
        with self._engine.connect().execution_options(**{WRITES: True}) as connection:
            gone = connection.execute(delete(Fact).where(Fact.key.in_(over))).rowcount
            connection.commit()
        return gone
