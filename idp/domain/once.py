"""What counts once: whoever brings a value first is told so, and nobody after (promise P3).

A value is kept until it could not count any more by our clock. But clocks are set forth and
back. So of what is over it is said first that it will be forgotten, and that stays: a value
that ends when forgotten ones did is refused as if it had been seen (CLK-02). What is said is a
few stretches of time for each kind, and as a rule one: the past.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from idp.crypto.secrets import digest
from idp.store import DbSession, writing
from idp.store.once import see_once
from idp.store.system import Fact, Forgotten
from idp.store.volatile import COUNTS

__all__ = ["Once", "Stretch", "joined"]

MOST_STRETCHES = 16
APART = timedelta(minutes=5)

Stretch = tuple[datetime, datetime]


class Once:
    """What was seen, and what may have been."""

    def __init__(self, session: DbSession) -> None:
        self._session = session

    def first(self, namespace: str, value: str, until: datetime) -> bool:
        """True for the first who brings this value. `until` must be the same whenever it is
        brought.
        """
        work, key = self._session(), f"{namespace}:{digest(value).hex()}"
        put = see_once(work.connection().dialect.name)
        return work.change(put, of_key=key, of_until=until, of_namespace=namespace) == 1

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget what was said to be forgotten before, and say it of more; returns how many
        rows went. Nobody who asks meanwhile can miss both the value and the word.
        """
        writing(self._session)
        connection = self._session.connection()
        over = select(Fact.key, Fact.expires_at).where(Fact.expires_at <= now)
        over = over.where(~Fact.key.startswith(COUNTS)).order_by(Fact.expires_at)
        said = self._said()
        gone: list[str] = []
        more: dict[str, list[Stretch]] = defaultdict(list)
        for key, moment in connection.execute(over.limit(2 * limit)):
            kind = key.partition(":")[0]
            if any(first <= moment <= last for first, last in said[kind]):
                gone.append(key)
            else:
                more[kind].append((moment, moment))
        for kind, stretches in more.items():
            self._say(kind, stretches)
        return connection.execute(delete(Fact).where(Fact.key.in_(gone[:limit]))).rowcount

    def _said(self) -> dict[str, list[Stretch]]:
        rows = select(Forgotten.namespace, Forgotten.first, Forgotten.last)
        found: dict[str, list[Stretch]] = defaultdict(list)
        for kind, first, last in self._session.connection().execute(rows):
            found[kind].append((first, last))
        return found

    def _say(self, kind: str, stretches: list[Stretch]) -> None:
        """Whoever else says something at the same time says it in rows of their own."""
        connection = self._session.connection()
        mine = delete(Forgotten).where(Forgotten.namespace == kind)
        known = connection.execute(mine.returning(Forgotten.first, Forgotten.last)).all()
        whole = joined([*((first, last) for first, last in known), *stretches])
        rows = [{"namespace": kind, "first": first, "last": last} for first, last in whole]
        connection.execute(insert(Forgotten), rows)


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same moments, and perhaps some more, in a few stretches: those near each other are
    one, and when there are too many, the oldest are.
    """
    found: list[Stretch] = []
    for first, last in sorted(stretches):
        if found and first <= found[-1][1] + APART:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    spare = len(found) - MOST_STRETCHES
    if spare > 0:
        oldest = found[: spare + 1]
        found[: spare + 1] = [(oldest[0][0], max(last for _, last in oldest))]
    return found
