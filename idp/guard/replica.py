"""What ended, as the feed tells it: kept in memory, looked up in nanoseconds.

Nothing in it is a token or an id: keys are 60 bits of a hash. A book is filled from the
beginning before anything is judged by it, and it is believed only up to a moment on the
monotonic clock; who has heard nothing for longer must ask somebody else (promise P5).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from idp.policies.feed import BITS

NEVER = -math.inf
STRETCH = 60
SWEPT_AT_ONCE = 2_000
UNNUMBERED = -1
_KEYS = 1 << BITS
_NONE = (UNNUMBERED, 0, 0)

Row = tuple[int, int, int | None]


class Garbled(ValueError):
    """What came is no news of a feed; none of it is believed."""


class Hole(Exception):
    """The news does not follow on from what is known: start again at the beginning."""


@dataclass(frozen=True, slots=True)
class News:
    """One piece of the feed: the rows after `start`, up to `to`; `head` is where the feed is."""

    epoch: str
    start: int
    to: int
    head: int
    rows: tuple[Row, ...]


def news(said: object) -> News:
    """Read one answer of the feed; raises `Garbled`."""
    if not isinstance(said, dict):
        raise Garbled("not an object")
    epoch, rows = said.get("epoch"), said.get("rows")
    if not isinstance(epoch, str) or not epoch or not isinstance(rows, list):
        raise Garbled("no epoch, or no rows")
    start, to, head = (_whole(said.get(name)) for name in ("from", "to", "head"))
    if not start <= to <= head:
        raise Garbled("the numbers do not follow")
    return News(epoch, start, to, head, tuple(_row(row) for row in rows))


class _Book:
    """Keys that are over, and generations; each leaves when nothing can name it any more.
    `began` is the stamp under which it was begun.
    """

    __slots__ = ("_moments", "_stretches", "began", "ended", "generations")

    def __init__(self, began: int) -> None:
        self.began = began
        self.ended: dict[int, int] = {}
        self.generations: dict[int, tuple[int, int, int]] = {}
        self._moments: dict[int, int] = {}
        self._stretches: dict[int, list[int]] = {}

    def write(self, row: Row, now: float, stamp: int) -> None:
        """Of two rows with the same key the later one counts."""
        key, until, generation = row
        if until <= now:
            self.ended.pop(key, None)
            self.generations.pop(key, None)
            return
        until = self._moments.setdefault(until, until)  # a million rows share a few numbers
        if generation is None:
            self.ended[key] = until
        else:
            newest = max(generation, self.generations.get(key, _NONE)[0])
            self.generations[key] = (newest, until, stamp)
        self._stretches.setdefault(until // STRETCH, []).append(key)

    def sweep(self, now: float, limit: int) -> int:
        """Forget a few of those whose time is over; how many were looked at."""
        over = min(self._stretches, default=None)
        if over is None or (over + 1) * STRETCH > now:
            return 0
        keys = self._stretches[over]
        some = [keys.pop() for _ in range(min(limit, len(keys)))]
        for key in some:
            if self.ended.get(key, 0) <= now:
                self.ended.pop(key, None)
            if self.generations.get(key, _NONE)[1] <= now:
                self.generations.pop(key, None)
        if not keys:
            del self._stretches[over]
            self._moments = {m: m for m in self._moments if m >= (over + 1) * STRETCH}
        return len(some)


class Replica:
    """The book that is believed, the one that is being filled, and until when it counts.

    One thread writes; any number read, and take no lock. `stamp` counts whatever is written, and
    never goes back.
    """

    def __init__(self, clock: Callable[[], float], ticks: Callable[[], float]) -> None:
        self._clock = clock
        self._ticks = ticks
        self._began = (clock(), ticks())
        self._book = _Book(0)
        self._filling: _Book | None = None
        self.stamp = 0
        self.epoch: str | None = None
        self.seq = 0
        self.as_of = NEVER
        self.trusted_until = NEVER

    @property
    def fresh(self) -> bool:
        """Whether it may be believed now. Ask this before `over`, never after: news that
        comes in between must not vouch for a look that was taken before it.
        """
        return self._ticks() < self.trusted_until

    @property
    def complete(self) -> bool:
        """Whether the book that is believed is the one that is written into."""
        return self.epoch is not None and self._filling is None

    @property
    def staleness(self) -> float:
        """How old its knowledge is at most, in seconds."""
        return max(0.0, self._ticks() - self.as_of)

    def over(self, keys: Sequence[int], account: int, generation: int) -> bool:
        """Whether one of these ended, or the account has moved on to a later generation."""
        ended = self._book.ended
        for key in keys:
            if key in ended:
                return True
        return self._book.generations.get(account, _NONE)[0] > generation

    def changed(self, state: int, since: int) -> bool:
        """Whether, since this stamp, a change was told of what the server says of a subject.

        Not by the number in the row: each API counts for itself. Who starts a new book knows
        nothing of the time before.
        """
        book = self._book
        return max(book.began, book.generations.get(state, _NONE)[2]) > since

    def __len__(self) -> int:
        return len(self._book.ended) + len(self._book.generations)

    def learn(self, said: News) -> bool:
        """Write down what came; True when nothing is missing. Raises `Hole`.

        An answer from the very beginning starts a new book, which is believed when it is full.
        """
        if said.start == 0 and (said.epoch != self.epoch or self.seq != 0):
            self.trusted_until = NEVER  # what we confirm from now on is not in the old book
            self.stamp += 1
            self._filling, self.epoch, self.seq = _Book(self.stamp), said.epoch, 0
        if said.epoch != self.epoch or said.start != self.seq:
            self.forget_place()
            raise Hole
        book, now = self._filling or self._book, self._now()
        for row in said.rows:
            self.stamp += 1
            book.write(row, now, self.stamp)
        self.seq = said.to
        if said.to != said.head:
            return False
        if self._filling is not None:
            self._book, self._filling = self._filling, None
        return True

    def believe(self, as_of: float, max_silence: float) -> None:
        """All that had ended at this moment is known; it is believed for so many seconds."""
        self.as_of = max(self.as_of, as_of)
        self.trusted_until = max(self.trusted_until, as_of + max_silence)

    def forget_place(self) -> None:
        """Ask from the beginning next time. What is known still counts, until it is too old."""
        self._filling, self.epoch, self.seq = None, None, 0

    def sweep(self, limit: int = SWEPT_AT_ONCE) -> int:
        """Forget a few of those whose time is over."""
        return self._book.sweep(self._now(), limit)

    def _now(self) -> float:
        """The wall clock, but never further than time has really passed: a clock that jumps
        ahead and back must not make us forget (CLK-02).
        """
        wall, ticks = self._began
        return min(self._clock(), wall + self._ticks() - ticks)


def _row(row: object) -> Row:
    if not isinstance(row, list) or len(row) != 3:  # noqa: PLR2004 - key, until, generation
        raise Garbled("a row is not three numbers")
    key, until, generation = row
    return _whole(key), _whole(until), None if generation is None else _whole(generation)


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < _KEYS:
        raise Garbled("not a whole number")
    return value
