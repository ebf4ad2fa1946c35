"""Proofs that came before: each is good once, in every process that shares the memory."""

import threading
from typing import Protocol

from idp.guard.wire import Unanswered

MOST_PROOFS = 100_000


class Replay(Protocol):
    """A memory of proofs."""

    waits: bool
    """Whether asking it may take a moment."""

    def first(self, once: str, until: int, now: float) -> bool:
        """True for the first who brings it. Raises `Unanswered` when nobody can say."""
        ...


class InMemory:
    """One process's own memory: for an API that is one process, or that demands nonces.

    A full memory refuses; it never forgets what could still be replayed (DPO-06).
    """

    waits = False

    def __init__(self, most: int = MOST_PROOFS) -> None:
        self._most = most
        self._seen: dict[str, int] = {}
        self._sweep_at = 0.0
        self._lock = threading.Lock()

    def first(self, once: str, until: int, now: float) -> bool:
        with self._lock:
            if now >= self._sweep_at or len(self._seen) >= self._most:
                self._seen = {key: ends for key, ends in self._seen.items() if ends > now}
                self._sweep_at = now + 10
            if once in self._seen:
                return False
            if len(self._seen) >= self._most:
                raise Unanswered("too many proofs at once")
            self._seen[once] = until
            return True
