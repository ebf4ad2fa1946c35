"""Connections that nobody uses at the moment, and that need no pool to be used again.

Taking a connection from SQLAlchemy's pool and giving it back costs more than what most requests
ask of it. One whose transaction is over, and that never failed, rests here instead.
"""

from collections import deque
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, QueuePool, event

MOST = 8  # of one engine; the others go back to the pool

_resting: WeakKeyDictionary[Engine, deque[Connection]] = WeakKeyDictionary()


def taken(engine: Engine) -> Connection:
    """A connection; ours alone until it is given back, or closed."""
    rest = _resting.get(engine)
    try:
        return rest.pop() if rest else engine.connect()
    except IndexError:  # another thread was faster
        return engine.connect()


def give_back(connection: Connection) -> None:
    """It works, and nothing is begun on it."""
    engine = connection.engine
    rest = _resting.setdefault(engine, deque())
    if len(rest) < MOST and isinstance(engine.pool, QueuePool) and not connection.closed:
        rest.append(connection)
    else:
        connection.close()


@event.listens_for(Engine, "engine_disposed")
def _wake(engine: Engine) -> None:
    """The server is gone, or the engine is: so are the connections."""
    rest = _resting.get(engine)
    while rest:
        rest.pop().close()
