"""Status lists: one bit for each token that is out, for APIs that check offline.

A token is given a free place by chance, so that its place tells nothing of when it was issued.
A list takes tokens for an hour, and goes when the last of them could have expired; no place is
given twice. Its length is one of few, and most of it is empty, which compresses well.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, update

from idp.crypto import status_list
from idp.crypto.secrets import new_id
from idp.crypto.status_list import Reference
from idp.domain.rules import Rules
from idp.store import DbSession, Prebuilt, writing
from idp.store.once import put_once
from idp.store.tokens import StatusEntry, StatusListRow

SIZE = 2**17
OPEN_FOR = timedelta(hours=1)
TRIES = 8  # as many taken places in a row say that a list is crowded
PATH = "/status-lists/"
VALID, TAKEN_BACK, SUSPENDED = 0, 1, 2

_OPEN = Prebuilt(
    select(StatusListRow.id, StatusListRow.open_until)
    .where(StatusListRow.open_until > bindparam("now"), StatusListRow.crowded.is_(False))
    .order_by(StatusListRow.open_until.desc())
    .limit(1)
)
_TAKE_BACK = Prebuilt(
    update(StatusEntry)
    .where(StatusEntry.list_id == bindparam("list_id"), StatusEntry.idx == bindparam("place"))
    .values(state=TAKEN_BACK)
)


@dataclass(frozen=True, slots=True)
class _Current:
    """The list that takes tokens now, as this process knows it."""

    id: str
    open_until: datetime


class StatusLists:
    """The lists, and the places in them."""

    def __init__(self, session: DbSession, rules: Rules) -> None:
        self._session = session
        self._rules = rules
        self._current: _Current | None = None

    @property
    def within(self) -> timedelta:
        """How long somebody may go on with a list that was fetched before a token was taken
        back: as long as it counts.
        """
        return 2 * self._rules.status_list_ttl

    def give(self, client_id: str, now: datetime) -> Reference:
        """A place for a token that is about to be minted; it is this token's for good."""
        work = self._session()
        put = put_once(
            StatusEntry.__table__,
            ("list_id", "idx", "client_id", "state"),
            work.connection().dialect.name,
        )
        while True:
            current = self._open(now)
            for _ in range(TRIES):
                idx = secrets.randbelow(SIZE)
                given = {"list_id": current.id, "idx": idx, "client_id": client_id}
                taken = {f"of_{name}": value for name, value in given.items()}
                if work.change(put, **taken, of_state=VALID) == 1:
                    return Reference(self._uri(current.id), idx)
            self._leave(current)

    def take_back(self, reference: Reference | None) -> None:
        """The token at this place is good no more."""
        list_id = self._id(reference.uri) if reference is not None else None
        if reference is not None and list_id is not None:
            self._session().change(_TAKE_BACK, list_id=list_id, place=reference.idx)

    def suspend(self, client_id: str) -> None:
        """No token of this client is good; for a client that is disabled, or gone."""
        self._change(client_id, VALID, SUSPENDED)

    def let_back(self, client_id: str) -> None:
        """Those of its tokens that nobody took back are good again."""
        self._change(client_id, SUSPENDED, VALID)

    def list(self, now: datetime) -> Sequence[str]:
        """The addresses of all lists that a token could name."""
        ids = self._session.scalars(select(StatusListRow.id).order_by(StatusListRow.open_until))
        return [self._uri(list_id) for list_id in ids]

    def read(self, list_id: str, now: datetime) -> dict[str, object] | None:
        """What a list says now: everything that was committed before counts. None when there is
        no such list.
        """
        if self._session.get(StatusListRow, list_id) is None:
            return None
        query = select(StatusEntry.idx).where(
            StatusEntry.list_id == list_id, StatusEntry.state != VALID
        )
        issued, ttl = int(now.timestamp()), int(self._rules.status_list_ttl.total_seconds())
        return {
            "iss": self._rules.issuer,
            "sub": self._uri(list_id),
            "iat": issued,
            "exp": issued + 2 * ttl,
            "ttl": ttl,
            "status_list": status_list.pack(SIZE, self._session.scalars(query)),
        }

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget lists whose last token is over, a batch of places at a time; how many rows
        went.
        """
        writing(self._session)
        last = now - self._rules.access_longest - self._rules.feed_margin
        over = select(StatusListRow.id).where(StatusListRow.open_until <= last)
        connection = self._session.connection()
        gone = 0
        for list_id in list(self._session.scalars(over)):
            places = select(StatusEntry.idx).where(StatusEntry.list_id == list_id).limit(limit)
            mine = delete(StatusEntry).where(StatusEntry.list_id == list_id)
            gone += connection.execute(mine.where(StatusEntry.idx.in_(places))).rowcount
            left = select(func.count()).where(StatusEntry.list_id == list_id)
            if not self._session.scalar(left):
                row = delete(StatusListRow).where(StatusListRow.id == list_id)
                gone += connection.execute(row).rowcount
        return gone

    def _open(self, now: datetime) -> _Current:
        """The list that takes tokens now; a new one when there is none."""
        current = self._current
        if current is not None and now < current.open_until <= now + OPEN_FOR:
            return current
        work = self._session()
        found = work.row(_OPEN, now=now)
        if found is None or found.open_until > now + OPEN_FOR:
            writing(self._session)
            row = StatusListRow(id=new_id(), open_until=now + OPEN_FOR)
            self._session.add(row)
            self._session.flush()
            return _Current(row.id, row.open_until)  # remembered when it is committed
        self._current = _Current(found.id, found.open_until)
        return self._current

    def _leave(self, current: _Current) -> None:
        """It is crowded. Others may still find a place, so it is kept as long as planned."""
        self._current = None
        self._session.execute(
            update(StatusListRow).where(StatusListRow.id == current.id).values(crowded=True),
            execution_options={"synchronize_session": False},
        )

    def _change(self, client_id: str, before: int, after: int) -> None:
        writing(self._session)
        self._session.execute(
            update(StatusEntry)
            .where(StatusEntry.client_id == client_id, StatusEntry.state == before)
            .values(state=after),
            execution_options={"synchronize_session": False},
        )

    def _uri(self, list_id: str) -> str:
        return f"{self._rules.issuer}{PATH}{list_id}"

    def _id(self, uri: str) -> str | None:
        start = f"{self._rules.issuer}{PATH}"
        return uri.removeprefix(start) if uri.startswith(start) else None
