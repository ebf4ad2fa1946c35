"""The unit of work: everything one request reads and writes, on one connection.

Reading needs no transaction: each statement is answered as things stand, on every database
alike. The first write begins one, whatever must still be true is asked again inside it, and
one commit ends it.
"""

from collections.abc import Callable
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, event
from sqlalchemy.orm import scoped_session

from idp.store import resting
from idp.store.prebuilt import Prebuilt, driven

WRITES = "idp_writes"

Act = Callable[[], None]


class Work(Session):
    """A session whose connection is taken when it is first needed, and given back with the
    commit. What is read without the ORM costs nothing of the ORM.
    """

    def __init__(self, db: SQLAlchemy, **options: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        super().__init__(db, **options)
        self.writes = False
        self._maps = False
        self._held: Connection | None = None
        self._promised: dict[Act, None] = {}
        self._read: dict[Prebuilt, list[Any]] = {}

    def connection(self, *_: object, **__: object) -> Connection:
        """The connection of this unit; the ORM works on it, too."""
        if self._held is None:
            self._held = resting.taken(self._db.engine)
        return self._held

    def get_bind(self, *_: object, **__: object) -> Connection:
        """The same connection for the ORM, which asks here before it does anything."""
        self._maps = True
        return self.connection()

    def begin_writing(self) -> None:
        """Whatever is asked from here on stays true until the commit."""
        if not self.writes:
            begin(self.connection())
            self.writes = True

    def rows(self, statement: Prebuilt, **given: object) -> list[Any]:
        """What a statement of the hot path finds."""
        return statement.rows(self.connection(), given)

    def rows_once(self, statement: Prebuilt) -> list[Any]:
        """The same for one without parameters, asked once in a unit. For what seldom changes:
        who changes it calls `read_anew`.
        """
        if statement not in self._read:
            self._read[statement] = self.rows(statement)
        return self._read[statement]

    def read_anew(self, statement: Prebuilt) -> None:
        """Ask again the next time."""
        self._read.pop(statement, None)

    def row(self, statement: Prebuilt, **given: object) -> Any:  # noqa: ANN401 - whatever was asked
        """The one row that it finds, or None."""
        found = statement.rows(self.connection(), given)
        return found[0] if found else None

    def change(self, statement: Prebuilt, **given: object) -> int:
        """What a statement of the hot path writes: how many rows there were to change."""
        self.begin_writing()
        return statement.change(self.connection(), given)

    def promise(self, act: Act) -> None:
        """Do this as soon as all is durable and the connection is given back."""
        self._promised[act] = None

    def commit(self) -> None:
        due = self._promised
        try:
            if self.in_transaction():
                super().commit()
            if self._held is not None:
                self._finish(self._held)
        except BaseException:
            self._distrust()
            raise
        self._let_go(clean=True)
        for act in due:
            act()

    def rollback(self) -> None:
        try:
            if self.in_transaction():
                super().rollback()
        finally:
            self._let_go()

    def close(self) -> None:
        try:
            if self._maps:
                super().close()
        finally:
            self._let_go()

    def _finish(self, held: Connection) -> None:
        if held.in_transaction():  # what SQLAlchemy has begun, it ends
            held.commit()
        elif self.writes:
            driven(held, lambda driver: driver.commit(), "COMMIT")

    def _distrust(self) -> None:
        """A connection that could not commit is closed: nobody goes on with what is half done."""
        if self._held is not None:
            self._held.invalidate()

    def _let_go(self, *, clean: bool = False) -> None:
        """Give the connection back; what was not committed is undone, and not promised."""
        held, self._held = self._held, None
        self.writes, self._promised, self._read = False, {}, {}
        if held is None:
            return
        if clean:
            resting.give_back(held)
        else:
            held.close()


DbSession = scoped_session[Work]


def writing(session: DbSession) -> None:
    """Say that this request writes from here on.

    SQLite cannot turn a reading transaction into a writing one once somebody else has written
    in between, so one that writes does so from its beginning (`BEGIN IMMEDIATE`). Whatever
    must still be true is asked again inside it.
    """
    session().begin_writing()


def once_committed(session: DbSession, act: Act) -> None:
    """Have this done as soon as what the session wrote is durable and its connection is back.

    If it is undone instead, so is the promise. The same act is done once, however often it
    was promised.
    """
    session().promise(act)


def begin(connection: Connection) -> None:
    """Begin a transaction in the database itself: connections of ours commit each statement
    when nobody says so.
    """
    immediate = connection.dialect.name == "sqlite"
    said = "BEGIN IMMEDIATE" if immediate else "BEGIN"
    driven(connection, lambda driver: driver.execute(said).close(), said)


@event.listens_for(Work, "before_flush")
def _refuse_unannounced_writes(session: Work, _context: object, _instances: object) -> None:
    """A write outside a transaction is a mistake of ours, and is found by the first test."""
    if not session.writes and (session.new or session.dirty or session.deleted):
        raise RuntimeError("a request wrote without saying writing() first")
