"""Those who wait for news of the feed in this process.

What this process numbers itself wakes them at once. For what others number, one of those who
wait looks into the database every few milliseconds, for all of them.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LOOK_EVERY_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Head:
    """How far the feed has come, and whether something committed has no number yet."""

    epoch: str
    seq: int
    pending: bool = False

    def is_past(self, other: "Head") -> bool:
        """Whether a reader who is at the other must read again."""
        return self.epoch != other.epoch or self.seq > other.seq


class Listeners:
    """A bounded number of threads that wait without holding anything."""

    def __init__(self, look: Callable[[], Head], seats: int) -> None:
        self._look = look
        self._seats = threading.BoundedSemaphore(seats)
        self._news = threading.Condition()
        self._head: Head | None = None
        self._watched = False

    def hear(self, head: Head) -> None:
        """The feed has come this far; what is older than what is known is no news."""
        with self._news:
            if self._head is None or head.is_past(self._head):
                self._head = head
                self._news.notify_all()

    def wait(self, known: Head, seconds: float) -> bool:
        """Return when the feed is past this, or time is over; False if no seat was free."""
        if not self._seats.acquire(blocking=False):
            return False
        try:
            self._wait(known, time.monotonic() + seconds)
        finally:
            self._seats.release()
        return True

    def _wait(self, known: Head, ends: float) -> None:
        while (left := ends - time.monotonic()) > 0:
            with self._news:
                if self._is_past(known):
                    return
                if self._watched:
                    self._news.wait(left)
                    continue
                self._watched = True
            try:
                self._watch(known, ends)
            finally:
                with self._news:
                    self._watched = False
                    self._news.notify()  # whoever waits on watches on

    def _watch(self, known: Head, ends: float) -> None:
        while (left := ends - time.monotonic()) > 0:
            with self._news:
                if not self._is_past(known):
                    self._news.wait(min(left, LOOK_EVERY_SECONDS))
                if self._is_past(known):
                    return
            self._look()

    def _is_past(self, known: Head) -> bool:
        return self._head is not None and self._head.is_past(known)
