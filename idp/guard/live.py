"""Whether a token is still alive: first asked, of whoever must be asked, then judged.

The replica answers in nanoseconds while it is fresh. When it is not, or when the policies
want more, the list of good tokens or the issuer is asked; when nobody answers, the answer is
no (promise P5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from idp.guard.endings import Ended
from idp.guard.introspection import Answer, Introspection
from idp.guard.replica import Replica
from idp.guard.seen import Seen
from idp.guard.tokens import Tokens
from idp.guard.wire import Unanswered
from idp.policies.model import Asks, TokenFacts


class Listed(Protocol):
    """The list of good tokens, where it can be read directly."""

    def good(self, jti: str, *, wait: bool) -> bool:
        """True when it is listed; False when it is not, or when nobody can say."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Answers the policies' questions: whoever was asked said yes, or we were not here.

    `told` is what the issuer says of the token, where that counts in this call.
    """

    asked: Asks
    nobody: bool = False
    age: float | None = None
    told: Answer | None = None

    def allowed(self, jti: str) -> bool:
        """On the list, which somebody has read."""
        return self._yes(Asks.LIST)

    def denied(self, jti: str) -> bool:
        """Not taken back."""
        return not self._yes(Asks.STATUS_LIST)

    def session_open(self, token: TokenFacts) -> bool:
        """Open, as far as the feed, the issuer or a status list knows: the end of a session takes
        back each token that stands in one.
        """
        return self._yes(Asks.STATUS_LIST)

    def _yes(self, least: Asks) -> bool:
        if self.asked < least and not self.nobody:
            raise Unanswered("a policy asks more than it says")
        return True


NOBODY = Asked(Asks.NOTHING, nobody=True)
A_STATUS_LIST = Asked(Asks.STATUS_LIST)
THE_FEED = Asked(Asks.FEED)
THE_ISSUER = Asked(Asks.PROVIDER)


class Liveness:
    """Asks the replica, the list and the issuer, in this order, and no more than needed."""

    def __init__(
        self,
        tokens: Tokens,
        replica: Replica,
        listed: Listed | None,
        introspection: Introspection,
        ticks: Callable[[], float],
        cached_for: float,
    ) -> None:
        self._tokens = tokens
        self._replica = replica
        self._listed = listed
        self._introspection = introspection
        self._ticks = ticks
        self._cached_for = cached_for

    def ask(
        self,
        token: str,
        seen: Seen,
        asks: Asks,
        *,
        state: bool,
        wait: bool,
        told: Answer | None = None,
    ) -> Asked:
        """Who said that it is alive; raises `Ended`, `Unanswered`, `WouldWait`.

        With `state` it must also be known what the server says of its person now. `told` is
        what the issuer has said in this very call; it need not be asked again.
        """
        fresh = self._replica.fresh  # before the look, see there
        self._look(seen)
        before = seen.told if state else None
        if fresh and not (state and self._outdated(seen, before)):
            if asks < Asks.LIST:
                return Asked(Asks.FEED, told=before) if state else THE_FEED
            if asks is Asks.LIST and self._listed and self._listed.good(seen.jti, wait=wait):
                self._look(seen)
                return Asked(Asks.LIST, told=before)
        answer = told or self.kept(seen) or self._inquire(token, seen, wait=wait)
        self._look(seen)
        return Asked(Asks.PROVIDER, told=answer)

    def kept(self, seen: Seen) -> Answer | None:
        """What the issuer said a moment ago, if it may be taken as if it were said now."""
        told = seen.told
        if told is None or self._ticks() - told.asked_at >= self._cached_for:
            return None
        return None if self._outdated(seen, told) else told

    def inquire(self, name: bytes, token: str, *, known: bool, wait: bool) -> Answer:
        """The issuer's yes; a no raises `Ended`, and is final."""
        answer = self._introspection.ask(token, self._replica.stamp, wait=wait)
        if not answer.active:
            self._tokens.end(name, known=known)
            raise Ended
        return answer

    def _inquire(self, token: str, seen: Seen, *, wait: bool) -> Answer:
        answer = self.inquire(seen.name, token, known=True, wait=wait)
        if answer.jti not in (None, seen.jti):
            raise Ended  # of another token, which says nothing of this one
        self._tokens.hear(seen, answer)
        return answer

    def _look(self, seen: Seen) -> None:
        """Once more after every question: news may have come while it was under way."""
        if self._replica.over(seen.keys, seen.account, seen.generation):
            raise Ended

    def _outdated(self, seen: Seen, told: Answer | None) -> bool:
        return told is None or self._replica.changed(seen.state, told.heard)
