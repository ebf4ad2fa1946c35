"""The feed: the ordered list of what ended, for the guards of APIs.

A row is written in the transaction of what it tells of, and numbered after the commit, by one
dispatcher at a time. So no hole is ever filled later: who has seen number 7 has seen all up to
it. Whoever reads numbers first what is not numbered yet: an answer holds everything that was
committed before it, whichever process died in between.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from idp.crypto.secrets import new_id
from idp.domain.leases import Lease, Leases
from idp.domain.listeners import Head, Listeners
from idp.domain.rules import Rules
from idp.domain.status_lists import StatusLists
from idp.policies.feed import ACCOUNT, CLIENT, STATE, key
from idp.store import WRITES, DbSession, Prebuilt, once_committed, writing
from idp.store.sessions import Line
from idp.store.system import Ended, FeedHead

__all__ = ["Batch", "Feed", "Head", "Lease"]

log = structlog.get_logger()

KEPT = timedelta(minutes=10)  # so that who was away for a moment misses nothing
MOST_ROWS = 10_000
ONLY = 1  # the id of the only row of feed_head

_NAMES = Prebuilt(
    select(Line.sub).where(Line.account_id == bindparam("a"), Line.sub.is_not(None)).distinct()
)

Entry = tuple[int, int, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The rows after `start` up to `to`, while the feed had come to `head`."""

    epoch: str
    start: int
    to: int
    head: int
    rows: tuple[Entry, ...]

    def follows(self, epoch: str | None, after: int | None) -> bool:
        """Whether it goes on where the reader is; else the reader starts over."""
        return epoch == self.epoch and after == self.start


class Feed:
    """What guards are told."""

    def __init__(self, session: DbSession, engine: Engine, rules: Rules) -> None:
        self._session = session
        self._engine = engine
        self._rules = rules
        self._turn = threading.Lock()
        self._reading = threading.Lock()
        self._last: Batch | None = None
        self._listeners = Listeners(self.look, rules.feed_listeners)
        self.status_lists = StatusLists(session, rules)
        self.leases = Leases(session, engine, rules)
        self.publish: Callable[[Batch], None] | None = None

    def put(
        self,
        kind: str,
        subjects: Iterable[str],
        until: datetime,
        now: datetime,
        *,
        generation: int | None = None,
    ) -> None:
        """Say that these are over; kept as long as a token could still name them."""
        work, kept = self._session(), until + self._rules.feed_margin
        for subject in subjects:
            work.change(_PUT, k=kind, s=subject, g=generation, moment=now, kept=kept)
            once_committed(self._session, self.dispatch)

    def cut_off_account(self, account_id: str, generation: int, now: datetime) -> None:
        """One row for each name of this person ends whatever was issued before this generation."""
        until = now + self._rules.access_longest
        self.put(ACCOUNT, self._names(account_id), until, now, generation=generation)

    def cut_off_client(self, client_id: str, now: datetime) -> None:
        """One row ends every token of a client."""
        self.status_lists.suspend(client_id)
        self.put(CLIENT, [client_id], now + self._rules.access_longest, now)

    def let_client_back(self, client_id: str, now: datetime) -> None:
        """Take its cut-off back: the rows there are, are over, and a new one says so."""
        writing(self._session)
        self.status_lists.let_back(client_id)
        past = now - self._rules.access_longest
        self._session.execute(
            update(Ended)
            .where(Ended.kind == CLIENT, Ended.subject == client_id)
            .values(until=past),
            execution_options={"synchronize_session": False},
        )
        self.put(CLIENT, [client_id], past, now)

    def state_changed(self, account_id: str, version: int, now: datetime) -> None:
        """What the server says of this person at an API is another from now on."""
        until = now + self._rules.access_longest
        self.put(STATE, self._names(account_id), until, now, generation=version)

    def _names(self, account_id: str) -> list[str]:
        """Every `sub` by which a token may call this person (OpenID Connect Core section 8)."""
        others = self._session().rows(_NAMES, a=account_id)
        return [account_id, *(row.sub for row in others)]

    def dispatch(self) -> None:
        """Number what is committed. A failure is logged, and the next look makes up for it."""
        try:
            self._number()
        except SQLAlchemyError:
            log.warning("the feed could not be numbered now", exc_info=True)

    def look(self) -> Head:
        """How far the feed has come, everything committed so far included."""
        head = self._head()
        if head is None or head.pending:
            self._number()
            head = self._head()
        if head is None:
            raise RuntimeError("the feed has no head after it was numbered")
        self._listeners.hear(head)
        return head

    def read(self, epoch: str | None, after: int | None) -> Batch:
        """What follows; from the beginning for a reader that nobody knows."""
        with self._reading:
            head = self.look()
            known = after is not None and epoch == head.epoch and 0 <= after <= head.seq
            start = after if known and after is not None else 0
            last = self._last
            if last and (last.epoch, last.start, last.head) == (head.epoch, start, head.seq):
                return last
            with self._engine.connect() as connection:
                self._last = _rows(connection, head, start)
            return self._last

    def listen(self, epoch: str | None, after: int | None, wait: timedelta) -> tuple[Batch, int]:
        """What follows, or, after a while, that nothing does; and the milliseconds between the
        call and the last look. No connection is held meanwhile.
        """
        began = time.monotonic()
        batch = self.read(epoch, after)
        if batch.rows or not batch.follows(epoch, after) or not wait:
            return batch, 0
        if not self._listeners.wait(Head(batch.epoch, batch.head), wait.total_seconds()):
            return batch, 0
        waited = int((time.monotonic() - began) * 1000)
        return self.read(epoch, after), waited

    def renew_epoch(self) -> None:
        """Every reader starts over: the numbers mean something else now, as after a backup."""
        self._number()
        with self._engine.connect().execution_options(**{WRITES: True}) as connection:
            connection.execute(update(FeedHead).values(epoch=new_id()))
            connection.commit()
        self.look()

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget guards that are gone, and rows that no token can name any more."""
        gone = self.leases.sweep(now, limit) + self.status_lists.sweep(now, limit)
        old = select(Ended.id).where(Ended.until <= now, Ended.at <= now - KEPT).limit(limit)
        rows = delete(Ended).where(Ended.id.in_(old))
        return gone + self._session.connection().execute(rows).rowcount

    def _head(self) -> Head | None:
        with self._engine.connect() as connection:
            rows = _HEAD.rows(connection, {})
        return Head(*rows[0]) if rows else None

    def _number(self) -> None:
        """Give the next numbers to all that has none, in one short transaction of its own."""
        with self._turn:
            found = self._head()
            if found is not None and not found.pending:
                return
            with self._engine.connect().execution_options(**{WRITES: True}) as connection:
                epoch, before = _locked_head(connection)
                count = _NUMBER.change(connection, {"before": before})
                _COME_TO.change(connection, {"to": before + count})
                connection.commit()
            head = Head(epoch, before + count)
            self._listeners.hear(head)
            self._tell(head, before)

    def _tell(self, head: Head, before: int) -> None:
        """Hand what is new to whoever brings it further."""
        while self.publish is not None and before < head.seq:
            with self._engine.connect() as connection:
                batch = _rows(connection, head, before)
            self.publish(batch)
            before = batch.to


_PUT = Prebuilt(
    insert(Ended)
    .inline()
    .values(
        kind=bindparam("k"),
        subject=bindparam("s"),
        generation=bindparam("g"),
        at=bindparam("moment"),
        until=bindparam("kept"),
    )
)
_PENDING = exists().where(Ended.seq.is_(None)).label("pending")
_HEAD = Prebuilt(select(FeedHead.epoch, FeedHead.seq, _PENDING).where(FeedHead.id == ONLY))
_LOCKED = select(FeedHead.epoch, FeedHead.seq).where(FeedHead.id == ONLY).with_for_update()
_COME_TO = Prebuilt(update(FeedHead).values(seq=bindparam("to")))

_place = func.row_number().over(order_by=Ended.id)
_fresh = (
    select(Ended.id, (bindparam("before", type_=Integer) + _place).label("seq"))
    .where(Ended.seq.is_(None))
    .subquery()
)
# Numbers for all that has none, in the order in which it was written.
_NUMBER = Prebuilt(update(Ended).where(Ended.id == _fresh.c.id).values(seq=_fresh.c.seq))


def _locked_head(connection: Connection) -> tuple[str, int]:
    """The head, ours alone until the commit; made by the first who needs it."""
    row = connection.execute(_LOCKED).one_or_none()
    if row is None:
        fresh = select(literal(ONLY), literal(new_id()), literal(0)).where(~exists(FeedHead.id))
        connection.execute(insert(FeedHead).from_select(["id", "epoch", "seq"], fresh))
        row = connection.execute(_LOCKED).one()
    return row.epoch, row.seq


def _rows(connection: Connection, head: Head, start: int) -> Batch:
    query = select(Ended.seq, Ended.kind, Ended.subject, Ended.until, Ended.generation)
    found = connection.execute(
        query.where(Ended.seq > start, Ended.seq <= head.seq).order_by(Ended.seq).limit(MOST_ROWS)
    ).all()
    rows = tuple(
        (key(row.kind, row.subject), math.ceil(row.until.timestamp()), row.generation)
        for row in found
    )
    full = len(rows) == MOST_ROWS and found[-1].seq is not None
    to = found[-1].seq if full else head.seq
    return Batch(epoch=head.epoch, start=start, to=to, head=head.seq, rows=rows)
