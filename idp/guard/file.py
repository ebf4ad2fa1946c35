"""Proofs that came before, in a file: for an API of several processes on one machine, without
Redis. What it remembers survives a restart.
"""

import os
import sqlite3
import threading
from pathlib import Path

from idp.guard.wire import Unanswered

PATIENCE = 0.25
SWEEP_EVERY = 10
_MAKE = "CREATE TABLE IF NOT EXISTS proof (once TEXT PRIMARY KEY, until INTEGER) WITHOUT ROWID"


class InFile:
    """A memory that all processes of an API share through one file on a local disk.

    Hand it to the guard: `Guard(..., replay=InFile("/var/lib/api/proofs"))`. A disk that does
    not answer lets nobody in.
    """

    waits = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._here = threading.local()
        self._sweep_at = 0.0

    def first(self, once: str, until: int, now: float) -> bool:
        try:
            return self._insert(once, until, now)
        except sqlite3.Error as error:
            raise Unanswered from error

    def _insert(self, once: str, until: int, now: float) -> bool:
        connection = self._connection()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_EVERY
            connection.execute("DELETE FROM proof WHERE until <= ?", (now,))
        put = "INSERT INTO proof VALUES (?, ?) ON CONFLICT DO NOTHING"
        return connection.execute(put, (once, until)).rowcount == 1

    def _connection(self) -> sqlite3.Connection:
        """One for each thread, and none that a parent process has opened."""
        kept: tuple[int, sqlite3.Connection] | None = getattr(self._here, "kept", None)
        if kept is not None and kept[0] == os.getpid():
            return kept[1]
        connection = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(_MAKE)
        self._here.kept = (os.getpid(), connection)
        return connection
