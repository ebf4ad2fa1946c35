"""One sign-in for all apps; one sign-out for all of them."""

from typing import ClassVar

from idp.policies.model import Asks, Ends, Live, Policy, Presented, Refuse, TokenFacts


class Sso(Policy):
    """Tokens of every app hang on the one session at the provider; when it ends, all do, and
    every app is told.
    """

    name: ClassVar[str] = "sso"
    summary: ClassVar[str] = "One session for all apps; its end is the end of everything."
    asks: ClassVar[Asks] = Asks.FEED
    ends: ClassVar[Ends] = Ends.FEED
    for_lines: ClassVar[bool] = True
    for_access: ClassVar[bool] = True

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        return None if live.session_open(token) else Refuse("session over")
