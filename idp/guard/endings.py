"""Tokens that the issuer called inactive. Whoever has heard that once is never talked out of it:
not by the answer to an older question that comes late, and not by anybody else.
"""

from collections.abc import Callable

NEVER = float("-inf")


class Ended(Exception):
    """The token is no longer good."""


class Endings:
    """The names of such tokens, as many as there is room for; the oldest is forgotten first.

    With it goes the trust in all answers to questions that are older than it: they may be about
    what was forgotten. What strangers make up stands in a book of its own, so that no number of
    it makes us forget a token that was good. One writes at a time; any number read.
    """

    def __init__(self, most: int, ticks: Callable[[], float]) -> None:
        self._most = most
        self._ticks = ticks
        self._known: dict[bytes, float] = {}
        self._made_up: dict[bytes, float] = {}
        self._forgotten = NEVER

    def __contains__(self, name: bytes) -> bool:
        return name in self._known or name in self._made_up

    def note(self, name: bytes, *, known: bool) -> None:
        """From now on it is over; whether it was ever `known` to be a token."""
        book = self._known if known else self._made_up
        book.setdefault(name, self._ticks())
        if len(book) > self._most:
            self._forgotten = max(self._forgotten, book.pop(next(iter(book))))

    def reach_back_to(self, asked_at: float) -> bool:
        """Whether everything that was noted since this moment is remembered."""
        return asked_at > self._forgotten
