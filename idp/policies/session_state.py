"""A token is good while its session is, and its roles are looked up, not carried."""

from dataclasses import replace
from typing import ClassVar

from idp.policies.model import Asks, Draft, Ends, Live, Policy, Presented, Refuse, TokenFacts


class SessionState(Policy):
    """The token says hardly more than whose it is; what its person may do stands at the
    provider, may change in mid-session, and counts from the next call on.
    """

    name: ClassVar[str] = "session_state"
    summary: ClassVar[str] = "Minimal signed tokens; session and roles live on the server."
    asks: ClassVar[Asks] = Asks.FEED
    ends: ClassVar[Ends] = Ends.FEED
    for_access: ClassVar[bool] = True
    roles: ClassVar[bool] = True

    def draft(self, draft: Draft) -> Draft:
        return replace(draft, minimal=True)

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        return None if live.session_open(token) else Refuse("session over")
