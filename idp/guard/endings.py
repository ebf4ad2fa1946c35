"""Tokens that the issuer called inactive. Whoever has heard that once is never talked out of it:
not by the answer to an older question that comes late, and not by anybody else.
"""

from collections import OrderedDict
from collections.abc import Callable

NEVER = float("-inf")


class Ended(Exception):
    """The token is no longer good."""


class Endings(set[bytes]):
    """The names of such tokens, as many as there is room for; the oldest is forgotten first.

    With it goes the trust in all answers to questions that are older than it: they may be about
    what was forgotten. What strangers make up stands in a book of its own, so that no number of
    it makes us forget a token that was good. One writes at a time; any number read.
    """

    def __init__(self, most: int, ticks: Callable[[], float]) -> None:
        super().__init__()
        self._most = most
        self._ticks = ticks
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._made_up: OrderedDict[bytes, float] = OrderedDict()
        self._forgotten = NEVER

    def note(self, name: bytes, *, known: bool) -> None:
        """From now on it is over; whether it was ever `known` to be a token."""
        if name in self:
            return
        self.add(name)
        book = self._known if known else self._made_up
        book[name] = self._ticks()
        if len(book) > self._most:
            oldest, noted = book.popitem(last=False)
            self.remove(oldest)
            self._forgotten = max(self._forgotten, noted)

    def reach_back_to(self, asked_at: float) -> bool:
        """Whether everything that was noted since this moment is remembered."""
        return asked_at > self._forgotten
