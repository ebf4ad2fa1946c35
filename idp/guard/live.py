"""Whether a token is still alive: first asked, of whoever must be asked, then judged.

The replica answers in nanoseconds while it is fresh. When it is not, or when the policies
want more, the list of good tokens or the issuer is asked; when nobody answers, the answer is
no (promise P5).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from idp.guard.introspection import Answer, Introspection
from idp.guard.replica import UNNUMBERED, Replica
from idp.guard.seen import Seen
from idp.guard.wire import Unanswered
from idp.policies.model import Asks, TokenFacts


class Ended(Exception):
    """The token is no longer good."""


class Listed(Protocol):
    """The list of good tokens, where it can be read directly."""

    def good(self, jti: str, *, wait: bool) -> bool:
        """True when it is listed; False when it is not, or when nobody can say."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Answers the policies' questions: whoever was asked said yes, or we were not here."""

    asked: Asks
    nobody: bool = False
    age: float | None = None

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
THE_LIST = Asked(Asks.LIST)
THE_ISSUER = Asked(Asks.PROVIDER)


class Liveness:
    """Asks the replica, the list and the issuer, in this order, and no more than needed."""

    def __init__(
        self,
        replica: Replica,
        listed: Listed | None,
        introspection: Introspection,
        ticks: Callable[[], float],
        cached_for: float,
    ) -> None:
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
        if self._replica.over(seen.keys, seen.account, seen.generation):
            raise Ended
        if fresh and asks <= Asks.LIST and not (state and self._outdated(seen.told)):
            if asks < Asks.LIST:
                return THE_FEED
            if self._listed is not None and self._listed.good(seen.facts.jti, wait=wait):
                return THE_LIST
        if told is None:
            told = self.kept(seen) or self.inquire(token, seen.state, wait=wait)
        if not told.active or told.jti not in (None, seen.facts.jti):
            seen.told = None  # a no says nothing of what its person may do
            raise Ended
        seen.told = told
        return THE_ISSUER

    def kept(self, seen: Seen) -> Answer | None:
        """What the issuer said a moment ago, if it may be taken as if it were said now."""
        told = seen.told
        if told is None or self._ticks() - told.asked_at >= self._cached_for:
            return None
        return None if self._outdated(told) else told

    def inquire(self, token: str, state: int | None, *, wait: bool) -> Answer:
        """Ask the issuer, and note which version of the state its answer cannot be older than."""
        version = UNNUMBERED if state is None else self._replica.version(state)
        return replace(self._introspection.ask(token, wait=wait), state=state, version=version)

    def _outdated(self, answer: Answer | None) -> bool:
        if answer is None:
            return True
        return answer.state is None or answer.version != self._replica.version(answer.state)
